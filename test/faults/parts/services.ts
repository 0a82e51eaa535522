/** NATS, one server or a cluster of three, and Postgres, as parts. All of them on loopback, with data folders of their own. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { startEmbedded } from '../../../runtime/embedded/index.ts'
import { findNatsServer } from '../../../runtime/embedded/nats-binary.ts'
import { freePort, isAlive } from '../../../runtime/embedded/process.ts'
import { connectQueues } from '../../../runtime/queue/connection.ts'
import { migrate } from '../../../runtime/store/migrate.ts'
import { silentLog } from '../../../runtime/telemetry/log.ts'
import { openProgram } from './process.ts'
import type { Part, Watched } from './process.ts'

const bootMs = 60_000

/** One server, or several that replicate to each other; `url` names all of them. Resolves when JetStream works. */
export async function startNats(
  folder: string,
  servers: number,
  watched: Watched,
): Promise<{ url: string; parts: Part[] }> {
  const binary = await findNatsServer({
    explicit: process.env.SLUICE_NATS_SERVER,
    cacheDir: process.env.SLUICE_CACHE ?? join(homedir(), '.cache', 'sluiceway'),
    log: () => {},
  })
  const members = await Promise.all(
    Array.from({ length: servers }, async (_, index) => ({
      name: servers === 1 ? 'nats' : `nats-${index + 1}`,
      port: await freePort(),
      cluster: await freePort(),
    })),
  )
  const parts = members.map((member) => {
    const file = join(folder, `${member.name}.conf`)
    writeFileSync(file, configOf(folder, member, members))
    return openProgram(member.name, binary, ['-c', file], watched)
  })
  const url = members.map(({ port }) => `nats://127.0.0.1:${port}`).join(',')
  await answers(url, servers)
  return { url, parts }
}

interface Member {
  readonly name: string
  readonly port: number
  readonly cluster: number
}

function configOf(folder: string, { name, port, cluster }: Member, members: readonly Member[]): string {
  const store = join(folder, name)
  mkdirSync(store, { recursive: true })
  const routes = members.filter((other) => other.name !== name).map((other) => `nats://127.0.0.1:${other.cluster}`)
  return [
    `server_name: ${name}`,
    `listen: "127.0.0.1:${port}"`,
    'max_payload: 10MB',
    'max_pending: 1GB',
    `jetstream { store_dir: ${JSON.stringify(store)} }`,
    ...(routes.length === 0
      ? []
      : [`cluster { name: faults, listen: "127.0.0.1:${cluster}", routes: ${JSON.stringify(routes)} }`]),
    '',
  ].join('\n')
}

/** A stream with all copies can be made: that is when a cluster has a leader and knows its members. */
async function answers(url: string, replicas: number): Promise<void> {
  const deadline = performance.now() + bootMs
  for (;;) {
    try {
      const connection = await connectQueues({ url, name: 'driver', timeoutMs: 2_000, log: silentLog })
      try {
        await connection.jsm.streams.add({ name: 'PROBE', subjects: ['probe'], num_replicas: replicas })
        await connection.jsm.streams.delete('PROBE')
        return
      } finally {
        await connection.close()
      }
    } catch (error) {
      if (performance.now() > deadline) throw error
      await wait(200)
    }
  }
}

/** Postgres with the engine's schema in a database of its own. Killed, it is started again by its supervisor at once. */
export async function startPostgres(folder: string, log: (line: string) => void): Promise<{ url: string; part: Part }> {
  const embedded = await startEmbedded({
    dataDir: join(folder, 'postgres'),
    natsUrl: 'nats://unused.invalid',
    cacheDir: process.env.SLUICE_CACHE,
    log,
  })
  await migrate(embedded.postgresUrl)
  const signal = (which: NodeJS.Signals): void => {
    for (const pid of familyOf(embedded.pids().postgres)) send(pid, which)
  }
  const part: Part = {
    name: 'postgres',
    get isUp() {
      return embedded.pids().postgres !== null
    },
    // Only the postmaster: its backends find out by themselves, as after a crash.
    kill: () => send(embedded.pids().postgres, 'SIGKILL'),
    start: () => {},
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    async works() {
      while (embedded.pids().postgres === null) await wait(50)
    },
    close: () => embedded.stop(),
  }
  return { url: embedded.postgresUrl, part }
}

/** A server and its backends, which are process groups of their own. */
function familyOf(pid: number | null): number[] {
  if (pid === null) return []
  const lines = execFileSync('ps', ['-ax', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n')
  const pairs = lines.map((line) => line.trim().split(/\s+/).map(Number))
  return [pid, ...pairs.filter(([, parent]) => parent === pid).map(([child = 0]) => child)]
}

function send(pid: number | null, signal: NodeJS.Signals): void {
  if (pid !== null && isAlive(pid)) process.kill(pid, signal)
}
