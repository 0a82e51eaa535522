import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import postgres from 'postgres'
import { expect, test } from 'vitest'
import { Conflict } from '../../runtime/errors.ts'
import { freePort } from '../../runtime/embedded/process.ts'
import { newId } from '../../runtime/ids.ts'
import { openQueues } from '../../runtime/queue/open.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { openEngine } from '../../runtime/client/index.ts'
import { closing } from '../bridge/flow.ts'
import { freshDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { startOwnNats } from '../support/own-nats.ts'
import { spawnRole } from '../support/role.ts'
import type { Role } from '../support/role.ts'

const token = 'the-admin-token-of-this-proof'
const patient = { timeoutMs: 120_000 }
const topologies = 20
const nodesEach = 50
const everyMs = 5_000

interface Row {
  readonly node: string
  readonly topology: string
  readonly at: number
  readonly late: number
  readonly state: string
  readonly start_state: string | null
  readonly total: number
}

test('1 000 cron nodes fire within a second, each firing makes one run, also over a SIGKILL of a control and of NATS', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-cron-'))
  closing.push({ close: () => rmSync(folder, { recursive: true, force: true }) })
  const nats = await startOwnNats(folder, '2GB')
  closing.push(nats)
  await serves(nats.url)
  const postgresUrl = await freshDatabase()
  const variables = { SLUICE_NATS_URL: nats.url, SLUICE_POSTGRES_URL: postgresUrl, SLUICE_ADMIN_TOKEN: token }
  const namespace = `t_${newId()}`
  const ports = [await freePort(), await freePort()]
  const spawn = (port: number): Role => {
    const control = spawnRole('control', namespace, { ...variables, SLUICE_PORT: String(port) })
    closing.push(control)
    return control
  }
  const controls = ports.map(spawn)
  closing.push(spawnRole('bridge', namespace, variables))
  const engine = openEngine({ url: `http://127.0.0.1:${ports[1]}`, token })
  await eventually(
    'the engine is ready',
    async () => (await engine.GET('/readyz').catch(() => null))?.data !== undefined,
    patient,
  )

  for (let n = 0; n < topologies; n++)
    await eventually('it is published', () => publish(engine, `t${n}`).then(() => true), patient)
  const begun = Date.now()
  await wait(6 * everyMs)
  const calmUntil = Date.now()
  await controls[0]?.end('SIGKILL')
  await wait(2 * everyMs)
  await nats.kill()
  await nats.restart()
  await serves(nats.url)
  spawn(ports[0] ?? 0)
  await wait(4 * everyMs)
  for (let n = 0; n < topologies; n++) {
    const params = { path: { topology: `t${n}` } }
    await engine.PATCH('/api/topologies/{topology}', { params, body: { enabled: false } })
  }
  const rows = await eventually('every run has ended', () => allEnded(postgresUrl), patient)

  expect(gapsOf(rows)).toEqual(new Set([everyMs]))
  expect(rows.filter(({ state, total }) => state !== 'finished' || total !== 1)).toEqual([])
  const calm = rows.filter(({ at }) => at > begun && at < calmUntil - 1_000).map(({ late }) => late)
  const all = rows.map(({ late }) => late)
  console.info(`${rows.length} firings; late in ms: calm ${told(calm)}, with the kills ${told(all)}`)
  expect(calm.length).toBeGreaterThan(4 * topologies * nodesEach)
  // How late the latest is, is the machine's affair too: it is told above.
  expect(calm.toSorted((a, b) => a - b)[calm.length >> 1]).toBeLessThan(1_000)
}, 300_000)

/** Milliseconds from a node's firing to its next one, over all nodes. */
function gapsOf(rows: readonly Row[]): Set<number> {
  const last = new Map<string, number>()
  const gaps = new Set<number>()
  for (const { topology, node, at } of rows.toSorted((a, b) => a.at - b.at)) {
    const before = last.get(`${topology}/${node}`)
    if (before !== undefined) gaps.add(at - before)
    last.set(`${topology}/${node}`, at)
  }
  return gaps
}

const told = (late: number[]): string => {
  const sorted = late.toSorted((a, b) => a - b)
  return `p50 ${sorted[sorted.length >> 1]}, max ${sorted.at(-1)}`
}

async function serves(url: string): Promise<void> {
  const options = { url, name: 'proof', namespace: `t_${newId()}`, replicas: 1, log: silentLog }
  await eventually('NATS serves', async () => (await openQueues(options)).close().then(() => true), patient)
}

async function publish(engine: ReturnType<typeof openEngine>, name: string): Promise<void> {
  const node = (n: number) => ({ name: `c${n}`, type: 'cron', cron: '*/5 * * * * *', overlap: 'allow' }) as const
  const document = { name, nodes: Array.from({ length: nodesEach }, (_, n) => node(n)), edges: [] }
  await engine.POST('/api/topologies', { body: document }).catch((error: unknown) => {
    if (!(error instanceof Conflict)) throw error
  })
  await engine.POST('/api/topologies/{topology}/publish', { params: { path: { topology: name } } })
}

/** Every firing, when all of them have ended. */
async function allEnded(url: string): Promise<Row[]> {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  try {
    const rows = await sql<Row[]>`
      select node_name as node, topology_name as topology, (extract(epoch from scheduled_at) * 1000)::float8 as at, state,
        (extract(epoch from started_at - scheduled_at) * 1000)::float8 as late, start_state,
        (done + failed + discarded + cancelled + in_progress)::float8 as total
      from runs where scheduled_at is not null`
    const open = rows.filter(({ state }) => state === 'running')
    if (open.length > 0)
      throw new Error(`${open.length} of ${rows.length} runs go on, such as ${JSON.stringify(open[0])}`)
    return [...rows]
  } finally {
    await sql.end()
  }
}
