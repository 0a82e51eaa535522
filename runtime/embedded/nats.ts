import { createHash } from 'node:crypto'
import { connect } from 'node:net'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { roomFor } from './disk.ts'
import { readIfThere } from './folder.ts'
import type { Guard } from './guard.ts'
import { commandOf, endStranger, freePort } from './process.ts'
import { keepRunning } from './program.ts'
import type { Running } from './program.ts'

/** Bodies of 8 MiB plus headers and what Trash adds. */
const maxPayloadBytes = 10 * 1024 * 1024
/** A client that has so much to read is cut off (by default 64 MiB, eight large messages): more than all that a bridge may hold. */
const maxPendingBytes = 1024 * 1024 * 1024
const startTries = 3

export interface NatsOptions {
  /** The data folder, absolute, locked by this process. */
  readonly folder: string
  /** The nats-server to run. */
  readonly binary: string
  /** Port to take if it's free. */
  readonly port?: number | undefined
  readonly guard: Guard
  readonly log: (line: string) => void
  readonly signal?: AbortSignal | undefined
}

export interface EmbeddedNats extends Running {
  readonly url: string
  readonly port: number
}

/** Starts nats-server on 127.0.0.1 with JetStream under `<folder>/nats`. Throws `Unavailable` with the end of its log. */
export async function startNats(options: NatsOptions): Promise<EmbeddedNats> {
  const { folder, log, signal } = options
  await endLeftOver(folder)
  for (let tries = 1; ; tries++) {
    const port = await freePort(options.port)
    try {
      const running = await keepRunning(program(options, port), options.guard, log, signal)
      return { ...running, url: `nats://127.0.0.1:${port}`, port }
    } catch (error) {
      // Somebody may have taken the port since it was found free.
      const taken = (await freePort(port)) !== port
      if (!taken || tries === startTries || signal?.aborted) throw error
    }
  }
}

function program({ folder, binary }: NatsOptions, port: number) {
  const configFile = join(folder, 'nats.conf')
  mkdirSync(join(folder, 'nats'), { recursive: true, mode: 0o700 })
  writeFileSync(configFile, config(folder, port), { mode: 0o600 })
  return {
    name: 'nats',
    command: binary,
    args: ['-c', configFile, '-P', pidFile(folder)],
    user: null,
    logFile: join(folder, 'logs', 'nats.log'),
    endsBy: 'SIGTERM',
    ready: (_pid: number, signal: AbortSignal) => untilServing(port, serverName(folder), signal),
  } as const
}

const pidFile = (folder: string) => join(folder, 'nats.pid')

/** Tells this folder's server from another one that got hold of the port. */
function serverName(folder: string): string {
  return `sluiceway-${createHash('sha256').update(folder).digest('hex').slice(0, 12)}`
}

function config(folder: string, port: number): string {
  const store = join(folder, 'nats')
  return [
    '# Written at every start.',
    `server_name: ${JSON.stringify(serverName(folder))}`,
    `listen: "127.0.0.1:${port}"`,
    `max_payload: ${maxPayloadBytes}`,
    `max_pending: ${maxPendingBytes}`,
    `jetstream { store_dir: ${JSON.stringify(store)}, max_file_store: ${roomFor(store)} }`,
    '',
  ].join('\n')
}

/** JetStream's files know no lock: a server that outlived a crash (its guard was killed too) must be gone first. */
async function endLeftOver(folder: string): Promise<void> {
  const pid = Number(readIfThere(pidFile(folder)) ?? 0)
  if (pid > 0 && commandOf(pid).includes(join(folder, 'nats.conf'))) await endStranger(pid, 'SIGTERM', 10_000)
}

async function untilServing(port: number, name: string, signal: AbortSignal): Promise<void> {
  while ((await greeting(port))?.server_name !== name) await delay(10, null, { signal })
}

/** What nats-server says of itself to whoever connects: one line, `INFO {…}`. Null when nobody listens yet. */
function greeting(port: number): Promise<{ server_name?: unknown } | null> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: 1_000 })
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString('utf8')
      if (text.includes('\n')) socket.end()
    })
    socket.on('timeout', () => socket.destroy())
    socket.on('error', () => {})
    socket.on('close', () => resolve(parseInfo(text)))
  })
}

function parseInfo(text: string): { server_name?: unknown } | null {
  const json = /^INFO (\{.*\})/.exec(text)?.[1]
  try {
    return json === undefined ? null : (JSON.parse(json) as { server_name?: unknown })
  } catch {
    return null
  }
}
