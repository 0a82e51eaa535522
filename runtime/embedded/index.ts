import { homedir } from 'node:os'
import { join } from 'node:path'
import { lockFolder, makeDataFolder, readPorts, writePorts } from './folder.ts'
import { startGuard } from './guard.ts'
import type { Guard } from './guard.ts'
import { findNatsServer } from './nats-binary.ts'
import { startNats } from './nats.ts'
import { createDatabase, startPostgres } from './postgres.ts'
import type { Running } from './program.ts'

export interface EmbeddedOptions {
  /** Everything is kept here; made if it's missing, and locked. */
  readonly dataDir: string
  /** Folder for fetched programs, shared by all data folders. Default: `~/.cache/sluiceway`. */
  readonly cacheDir?: string | undefined
  /** Path of the nats-server to use. */
  readonly natsServer?: string | undefined
  /** URL of a running NATS to use instead of an embedded one. */
  readonly natsUrl?: string | undefined
  /** URL of a running Postgres to use instead of an embedded one. */
  readonly postgresUrl?: string | undefined
  /** False: Postgres needn't survive the machine's end, only its own; for tests. Default true. */
  readonly durable?: boolean | undefined
  /** Gets one line for what a person should know: a download, a program that ended and was started again. */
  readonly log?: ((line: string) => void) | undefined
  /** Gives up a start that is under way. */
  readonly signal?: AbortSignal | undefined
}

export interface Embedded {
  readonly natsUrl: string
  /** The engine's database, `sluiceway` in an embedded Postgres. */
  readonly postgresUrl: string
  readonly postgres: {
    /** Makes a database in the same server, unless it's there; returns its URL. */
    createDatabase(name: string): Promise<string>
  }
  /** Pids of what was started here; null for what is external, or is just being started again. */
  pids(): { readonly nats: number | null; readonly postgres: number | null }
  /** Ends what was started here and gives the folder back. Twice is harmless. */
  stop(): Promise<void>
}

/**
 * Locks the data folder and starts nats-server and Postgres in it, unless external ones are given. They are started
 * again when they end by themselves, and end with this process however it ends. Throws `Conflict` when another engine
 * uses the folder, `Unavailable` or `Invalid` when a part can't be started; then nothing is left running.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const folder = makeDataFolder(options.dataDir)
  const closers: (() => void | Promise<void>)[] = [lockFolder(folder)]
  let closed: Promise<void> | undefined
  const stop = () => (closed ??= closeAll(closers))
  try {
    const log = options.log ?? (() => {})
    const guard = startGuard(folder, log)
    closers.push(() => guard.close())
    const parts = await startParts({ ...options, folder, guard, log })
    closers.push(() => parts.stop())
    const postgresUrl = options.postgresUrl ?? (await createDatabase(parts.postgres.url, 'sluiceway'))
    return {
      natsUrl: parts.nats.url,
      postgresUrl,
      postgres: { createDatabase: (name) => createDatabase(postgresUrl, name) },
      pids: () => ({ nats: parts.nats.pid(), postgres: parts.postgres.pid() }),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

async function closeAll(closers: (() => void | Promise<void>)[]): Promise<void> {
  for (const close of closers.reverse()) await close()
}

/** A server that runs, ours or not. */
interface Part extends Running {
  readonly url: string
  readonly port?: number
}

interface PartsOptions extends EmbeddedOptions {
  readonly folder: string
  readonly guard: Guard
  readonly log: (line: string) => void
}

const external = (url: string): Part => ({ url, pid: () => null, stop: () => Promise.resolve() })

/** Starts both at once; when one fails, the other is stopped. */
async function startParts(options: PartsOptions): Promise<{ nats: Part; postgres: Part; stop(): Promise<void> }> {
  const { folder, guard, log, natsUrl, postgresUrl, durable = true } = options
  const cacheDir = options.cacheDir ?? join(homedir(), '.cache', 'sluiceway')
  const ports = readPorts(folder)
  const failed = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, failed.signal]) : failed.signal
  const common = { folder, guard, log, signal }

  async function nats(): Promise<Part> {
    if (natsUrl !== undefined) return external(natsUrl)
    const binary = await findNatsServer({ explicit: options.natsServer, cacheDir, log, signal })
    return startNats({ ...common, binary, port: ports.nats })
  }
  async function postgres(): Promise<Part> {
    if (postgresUrl !== undefined) return external(postgresUrl)
    return startPostgres({ ...common, cacheDir, durable, port: ports.postgres })
  }

  const [first, second] = await Promise.allSettled([orAbort(nats(), failed), orAbort(postgres(), failed)])
  const started = [first, second].filter((it) => it.status === 'fulfilled').map((it) => it.value)
  const stop = async () => void (await Promise.all(started.map((part) => part.stop())))
  if (first.status === 'fulfilled' && second.status === 'fulfilled') {
    writePorts(folder, { nats: first.value.port ?? ports.nats, postgres: second.value.port ?? ports.postgres })
    return { nats: first.value, postgres: second.value, stop }
  }
  await stop()
  throw failed.signal.reason
}

/** Lets the first failure end the other start. */
async function orAbort(start: Promise<Part>, failed: AbortController): Promise<Part> {
  try {
    return await start
  } catch (error) {
    failed.abort(error)
    throw error
  }
}
