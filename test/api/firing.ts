import { onTestFinished } from 'vitest'
import { sql } from 'drizzle-orm'
import { openAdmission, openFiring } from '../../runtime/api/api.ts'
import { openRecorder } from '../../runtime/recorder/recorder.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { janitorOf } from '../queue/compact.ts'
import { eventually } from '../support/eventually.ts'
import { nodeOf, openApi } from './open.ts'
import type { Body, TestApi } from './open.ts'

export interface Run {
  readonly id: string
  readonly state: string
  readonly queued: boolean
  readonly scheduledAt: string | null
  readonly startedAt: string
}

/** The API with what records runs; what is due is started as soon as a control opens its firing. */
export async function openRecorded(): Promise<TestApi> {
  const t = await openApi()
  const janitor = janitorOf(t, { windowMs: 600_000, leastWindowMs: 600_000 })
  const recorder = await openRecorder({ ...t, janitor, log: silentLog })
  onTestFinished(() => recorder.close())
  return t
}

/** What starts firings in a control. */
export async function fire(t: TestApi): Promise<void> {
  const queues = t.queues.control
  const admission = openAdmission({
    queues,
    maxMessages: Infinity,
    maxBytes: Infinity,
    maxUploads: Infinity,
    maxStoreBytes: undefined,
    disk: null,
  })
  const { events } = t.queues
  const firing = await openFiring({ store: t.store, queues, admission, events, log: silentLog })
  onTestFinished(() => firing.close())
}

/** Publishes a topology of one event node. */
export async function publishedNode(t: TestApi, name: string, node: Record<string, unknown>): Promise<Body> {
  const made = await t.post('/api/topologies', { name, nodes: [{ name: 'tick', type: 'cron', ...node }], edges: [] })
  const answer = await t.post(`/api/topologies/${name}/publish`)
  if (made.status !== 201 || answer.status !== 200) throw new Error(`${made.text} ${answer.text}`)
  return nodeOf(t, name, 'tick')
}

export const runsOf = async (t: TestApi, topology: string): Promise<Run[]> =>
  (await t.get(`/api/runs?topology=${topology}&limit=500`)).body.items as unknown as Run[]

export const runsUntil = (t: TestApi, topology: string, done: (runs: Run[]) => boolean): Promise<Run[]> =>
  eventually('the runs are as expected', async () => {
    const runs = await runsOf(t, topology)
    return done(runs) && runs
  })

/** The node's next firing is at that time. */
export async function due(t: TestApi, nodeId: string, at: Date): Promise<void> {
  await t.store.query((db) =>
    db.execute(sql`update gates set next_at = ${at.toISOString()}::timestamptz where node_id = ${nodeId}`),
  )
}

export interface Gate {
  readonly nextAt: string | null
  readonly lastAt: string | null
  readonly lastRunId: string | null
  readonly skipped: number
  readonly lastSkipped: { at: string; reason: string; runId: string | null } | null
}

export const firingOf = async (t: TestApi, id: string): Promise<Gate> =>
  ((await t.get(`/api/nodes/${id}`)).body as unknown as { firing: Gate }).firing
