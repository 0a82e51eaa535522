/**
 * The one data folder of an engine that runs everything on one machine (`.sluiceway/`):
 *
 *     lock.<n>            who uses the folder
 *     dev.json            where the running engine is found, for client commands
 *     ports.json          ports of nats-server and Postgres, kept over restarts
 *     nats/, nats.conf    JetStream's files
 *     postgres/           the database cluster; or postgres.place, which says where it is
 *     postgres.password   of the role `sluiceway`
 *     logs/               nats.log, postgres.log
 */
import { randomBytes } from 'node:crypto'
import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { Conflict } from '../errors.ts'
import { processIdentity } from './process.ts'

/** Makes the folder if it's missing; returns its absolute path. */
export function makeDataFolder(dataDir: string): string {
  const folder = resolve(dataDir)
  // Others may pass through (Postgres doesn't run as root), not look around.
  mkdirSync(folder, { recursive: true, mode: 0o711 })
  mkdirSync(join(folder, 'logs'), { recursive: true, mode: 0o700 })
  return folder
}

const holderSchema = z.object({ pid: z.number().int(), identity: z.string() })

/**
 * Takes the folder for this process; returns the function that gives it back. A lock whose process has ended is taken
 * over. Throws `Conflict` that names the process which holds it.
 *
 * A lock file is made whole by link(2), and never changed: `lock.<n>`, of which the highest counts. Who takes over
 * links n + 1, which only one can. The boot and start time in it tell a process from one that got its pid later.
 */
export function lockFolder(folder: string): () => void {
  for (;;) {
    const locks = locksIn(folder)
    const newest = locks.at(-1) ?? 0
    const holder = newest === 0 ? null : readHolder(folder, newest)
    if (holder && processIdentity(holder.pid) === holder.identity) {
      throw new Conflict(
        `${folder} is used by another engine (pid ${holder.pid}): stop it, or choose another folder with --data`,
      )
    }
    if (!linkLock(folder, newest + 1)) continue
    for (const old of locks) rmSync(lockFile(folder, old), { force: true })
    return () => rmSync(lockFile(folder, newest + 1), { force: true })
  }
}

const lockFile = (folder: string, n: number) => join(folder, `lock.${n}`)

/** Numbers of the lock files, ascending. */
function locksIn(folder: string): number[] {
  const numbers = readdirSync(folder).map((name) => /^lock\.(\d+)$/.exec(name)?.[1])
  return numbers
    .filter((n) => n !== undefined)
    .map(Number)
    .sort((a, b) => a - b)
}

/** Null for one that has just been removed. */
function readHolder(folder: string, n: number): z.infer<typeof holderSchema> | null {
  return readJson(lockFile(folder, n), holderSchema)
}

/** False when somebody else was faster. */
function linkLock(folder: string, n: number): boolean {
  const whole = join(folder, `.lock-${randomBytes(6).toString('hex')}`)
  writeFileSync(whole, JSON.stringify({ pid: process.pid, identity: processIdentity(process.pid) }), { mode: 0o644 })
  try {
    linkSync(whole, lockFile(folder, n))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(whole)
  }
  if (locksIn(folder).at(-1) === n) return true
  // The listing that n came from was out of date: a later lock counts.
  rmSync(lockFile(folder, n), { force: true })
  return false
}

const devStateSchema = z.object({
  pid: z.number().int(),
  /** Of the API and console, such as `http://127.0.0.1:8484`. */
  url: z.string(),
  token: z.string(),
  natsUrl: z.string(),
  postgresUrl: z.string(),
})

/** Where a running engine is found. Holds secrets: its file is readable by its owner only. */
export type DevState = z.infer<typeof devStateSchema>

export function writeDevState(dataDir: string, state: DevState): void {
  writeSecret(join(dataDir, 'dev.json'), JSON.stringify(state, null, 2) + '\n')
}

/** Null when no engine runs on that folder, also when one was killed and could not remove its file. */
export function readDevState(dataDir: string): DevState | null {
  const state = readJson(join(dataDir, 'dev.json'), devStateSchema)
  if (!state) return null
  const holders = locksIn(dataDir).map((n) => readHolder(dataDir, n))
  const holds = holders.some((it) => it?.pid === state.pid && processIdentity(it.pid) === it.identity)
  return holds ? state : null
}

export function removeDevState(dataDir: string): void {
  rmSync(join(dataDir, 'dev.json'), { force: true })
}

const portsSchema = z.object({ nats: z.number().optional(), postgres: z.number().optional() })

/** Ports of the last start; they are taken again if they are free, so that tools with an old URL go on working. */
export function readPorts(folder: string): { nats?: number | undefined; postgres?: number | undefined } {
  return readJson(join(folder, 'ports.json'), portsSchema) ?? {}
}

export function writePorts(folder: string, ports: { nats: number | undefined; postgres: number | undefined }): void {
  writeSecret(join(folder, 'ports.json'), JSON.stringify(ports))
}

/** Writes a file of mode 0600 that is there whole or not at all. */
export function writeSecret(file: string, text: string): void {
  const whole = `${file}.${randomBytes(6).toString('hex')}`
  writeFileSync(whole, text, { mode: 0o600 })
  renameSync(whole, file)
}

/** Content of a file; null when it isn't there. */
export function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** Null when the file isn't there or isn't what the schema says (a person edited it): then it's as good as absent. */
function readJson<T>(file: string, schema: z.ZodType<T>): T | null {
  const text = readIfThere(file)
  if (text === null) return null
  try {
    return schema.parse(JSON.parse(text))
  } catch {
    return null
  }
}
