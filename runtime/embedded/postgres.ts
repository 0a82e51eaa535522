import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import postgres from 'postgres'
import { Invalid, textOf, Unavailable } from '../errors.ts'
import { readIfThere, writeSecret } from './folder.ts'
import type { Guard } from './guard.ts'
import { clusterHome, giveTo, postgresPrograms, serviceUser } from './postgres-files.ts'
import type { PostgresPrograms, User } from './postgres-files.ts'
import { commandOf, endStranger, freePort, isAlive, lastWords } from './process.ts'
import { keepRunning } from './program.ts'
import type { Running } from './program.ts'

const run = promisify(execFile)
const role = 'sluiceway'
const startTries = 5

export interface PostgresOptions {
  /** The data folder, absolute, locked by this process. */
  readonly folder: string
  /** Folder for a copy of the programs, where npm's can't be used in place. */
  readonly cacheDir: string
  /** False: data may be lost when the machine (not only the process) dies; for tests. */
  readonly durable: boolean
  /** Port to take if it's free. */
  readonly port?: number | undefined
  readonly guard: Guard
  readonly log: (line: string) => void
  readonly signal?: AbortSignal | undefined
}

export interface EmbeddedPostgres extends Running {
  /** URL, with password, of the server's maintenance database. */
  readonly url: string
  readonly port: number
}

/** What a start works with. */
interface Cluster {
  readonly folder: string
  readonly home: string
  readonly user: User | null
  readonly programs: PostgresPrograms
  readonly password: string
}

/**
 * Starts Postgres on 127.0.0.1, and makes its cluster the first time (about 2 s). Throws `Unavailable` when there are
 * no programs for this machine, or with the end of the log.
 */
export async function startPostgres(options: PostgresOptions): Promise<EmbeddedPostgres> {
  const { folder, cacheDir, guard, log, signal } = options
  const user = serviceUser()
  const programs = await postgresPrograms(user, cacheDir)
  const home = await clusterHome(folder, user, endLeftOver)
  const cluster = join(home, 'postgres')
  const password = passwordOf(folder, cluster)
  await makeCluster({ folder: cluster, home, user, programs, password }, options)
  checkVersion(cluster, programs)
  await endLeftOver(cluster)
  for (let tries = 1; ; tries++) {
    const port = await freePort(options.port)
    const crashed = existsSync(join(cluster, 'postmaster.pid'))
    try {
      const running = await keepRunning(program(options, { cluster, programs, user, port }), guard, log, signal)
      return { ...running, url: `postgres://${role}:${password}@127.0.0.1:${port}/postgres`, port }
    } catch (error) {
      // Somebody took the port meanwhile, or backends of a killed server still hold its memory, for a moment.
      const passes = crashed || (await freePort(port)) !== port
      if (!passes || tries === startTries || signal?.aborted) throw error
      await delay(200 * tries, null, { signal })
    }
  }
}

/** The random password of the role, made with the cluster. */
function passwordOf(folder: string, cluster: string): string {
  const file = join(folder, 'postgres.password')
  const kept = readIfThere(file)
  if (kept !== null) return kept.trim()
  if (existsSync(cluster)) {
    throw new Unavailable(
      'postgres',
      `${file} is missing, without which ${cluster} can't be opened: put it back, or remove both`,
    )
  }
  const password = randomBytes(24).toString('hex')
  writeSecret(file, `${password}\n`)
  return password
}

/** Made aside and renamed, so that an interrupted initdb leaves nothing that looks like a cluster. */
async function makeCluster(
  { folder, home, user, programs, password }: Cluster,
  options: PostgresOptions,
): Promise<void> {
  if (existsSync(folder)) return
  options.log('making the database (once)')
  const draft = join(home, 'postgres.new')
  const passwordFile = join(home, 'postgres.pw')
  rmSync(draft, { recursive: true, force: true })
  mkdirSync(draft, { mode: 0o700 })
  giveTo(user, draft)
  writeFileSync(passwordFile, password, { mode: 0o600 })
  giveTo(user, passwordFile)
  // The builtin locale needs none of the operating system's, which slim images don't have.
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
  const args = ['-D', draft, `--username=${role}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256', ...locale]
  const sync = options.durable ? [] : ['--no-sync']
  try {
    await run(programs.initdb, [...args, ...sync], { ...(user ?? {}), cwd: '/', signal: options.signal })
  } catch (error) {
    options.signal?.throwIfAborted()
    throw new Unavailable('postgres', `initdb failed: ${lastWords(error)}`, { cause: error })
  } finally {
    rmSync(passwordFile)
  }
  renameSync(draft, folder)
}

function checkVersion(cluster: string, { major }: PostgresPrograms): void {
  const found = Number(readIfThere(join(cluster, 'PG_VERSION')))
  if (found === major) return
  const message = `${cluster} was made by Postgres ${found}, and this version brings ${major}: move its data over with pg_dump, or begin with another folder`
  throw new Unavailable('postgres', message)
}

interface Launch {
  readonly cluster: string
  readonly programs: PostgresPrograms
  readonly user: User | null
  readonly port: number
}

function program({ folder, durable }: PostgresOptions, { cluster, programs, user, port }: Launch) {
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    // No socket file: its path may be too long, and its folder may not be ours.
    unix_socket_directories: '',
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...(durable ? {} : { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' }),
  }
  return {
    name: 'postgres',
    command: programs.postgres,
    args: ['-D', cluster, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    user,
    logFile: join(folder, 'logs', 'postgres.log'),
    // Fast shutdown: connections are cut, what is committed is written.
    endsBy: 'SIGINT',
    ready: (pid: number, signal: AbortSignal) => untilServing(cluster, pid, signal),
  } as const
}

/** postmaster.pid says it, as pg_ctl reads it: first line the pid, eighth line the state. */
async function untilServing(cluster: string, pid: number, signal: AbortSignal): Promise<void> {
  for (;;) {
    const lines = (readIfThere(join(cluster, 'postmaster.pid')) ?? '').split('\n')
    if (Number(lines[0]) === pid && lines[7]?.trim() === 'ready') return
    await delay(20, null, { signal })
  }
}

/**
 * Ends a server that outlived a crash (its guard was killed too). A pid file whose pid is another program's by now
 * would keep Postgres from starting, so it's removed; one whose process is gone Postgres itself deals with.
 */
async function endLeftOver(cluster: string): Promise<void> {
  const file = join(cluster, 'postmaster.pid')
  const pid = Number(readIfThere(file)?.split('\n')[0] ?? 0)
  if (pid <= 0 || !isAlive(pid)) return
  if (commandOf(pid).includes(`-D ${cluster}`)) await endStranger(pid, 'SIGINT', 15_000)
  else rmSync(file, { force: true })
}

/**
 * Makes a database beside the one that `url` names, unless it's there; returns its URL. The role needs the right to
 * create databases. Throws `Invalid` for a name that isn't made of letters, digits, `_` and `-`, else `Unavailable`.
 */
export async function createDatabase(url: string, name: string): Promise<string> {
  if (!/^[\w-]{1,63}$/.test(name)) throw new Invalid(`${name} is no name for a database: use letters, digits, _ and -`)
  const client = postgres(url, { max: 1, connect_timeout: 10, onnotice: () => {} })
  try {
    const found = await client`select 1 from pg_database where datname = ${name}`
    if (found.length === 0) await client`create database ${client(name)}`
  } catch (error) {
    if (!madeMeanwhile(error))
      throw new Unavailable('postgres', `no database ${name}: ${textOf(error)}`, { cause: error })
  } finally {
    await client.end({ timeout: 5 })
  }
  return Object.assign(new URL(url), { pathname: `/${name}` }).href
}

/** duplicate_database; or unique_violation, when two are at it at once. */
function madeMeanwhile(error: unknown): boolean {
  return error instanceof postgres.PostgresError && (error.code === '42P04' || error.code === '23505')
}
