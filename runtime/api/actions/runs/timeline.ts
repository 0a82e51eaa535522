import type { z } from '@hono/zod-openapi'
import { listNodes } from '../../../store/queries/nodes.ts'
import { milestonesOf, rerunsOf } from '../../../store/queries/history/reruns.ts'
import type { Run } from '../../../store/queries/runs.ts'
import { listTrash } from '../../../store/queries/trash.ts'
import type { TrashHead } from '../../../store/queries/trash.ts'
import type { StoredMilestone } from '../../../store/schema/index.ts'
import type { ApiDeps } from '../../deps.ts'
import type * as schemas from '../../schemas/runs/history.ts'
import { isWhole } from './kept.ts'

type Deps = Pick<ApiDeps, 'store' | 'queues'>
type Timeline = z.infer<typeof schemas.runTimeline>

const trashMax = 50
const rerunsMax = 50

/** Where the messages of a topology are kept from on. */
export async function keptOf({ queues }: Deps, run: Run): Promise<{ complete: boolean; since: string | null }> {
  const since = await queues.history.since(run.topologyId)
  const complete = since !== null && isWhole(since, run)
  return { complete, since: since?.toISOString() ?? null }
}

/** By id; also of nodes that are gone, as far as milestones tell. */
export async function namesOf({ store }: Deps, run: Run): Promise<Map<string, string>> {
  const [rows, milestones] = await Promise.all([listNodes(store, run.topologyId, true), milestonesOf(store, run.id)])
  const told = Object.entries(milestones).map(([id, { name }]): [string, string] => [id, name])
  return new Map([...told, [run.nodeId, run.nodeName], ...rows.map((row): [string, string] => [row.id, row.name])])
}

/** From what the recorder has added up, so it takes as long for a run of a million messages as for one of one. */
export async function timelineOf(deps: Deps, run: Run): Promise<Omit<Timeline, 'run'>> {
  const { store } = deps
  const [kept, milestones, trash, reruns] = await Promise.all([
    keptOf(deps, run),
    milestonesOf(store, run.id),
    listTrash(store, { runId: run.id }, trashMax + 1, null),
    rerunsOf(store, run.id, rerunsMax),
  ])
  const nodes = Object.entries(milestones).sort(([, a], [, b]) => a.first - b.first)
  return {
    ...kept,
    nodes: nodes.map(passagesOf),
    events: eventsOf(run, trash.slice(0, trashMax)),
    trashOpen: run.failed,
    eventsComplete: trash.length <= trashMax,
    reruns,
  }
}

function passagesOf([nodeId, milestone]: [string, StoredMilestone]): Timeline['nodes'][number] {
  const { name: node, first, last, started = 0, forwarded = 0, split = 0, made = 0, done = 0 } = milestone
  const { failed = 0, replayed = 0, discarded = 0, cancelled = 0, calls = 0 } = milestone
  const { queuedMs = 0, calledMs = 0, limitMs = 0, retryMs = 0, otherMs = 0 } = milestone
  return {
    node,
    nodeId,
    firstAt: new Date(first).toISOString(),
    lastAt: new Date(last).toISOString(),
    messages: { started, forwarded, split, made, done, failed, replayed, discarded, cancelled },
    calls,
    spent: { queuedMs, calledMs, limitMs, retryMs, otherMs },
  }
}

type Event = Timeline['events'][number]

function eventsOf(run: Run, trash: readonly TrashHead[]): Event[] {
  const { startedAt, cancelRequestedAt, nodeName: node, nodeId } = run
  const of = (at: Date | null, kind: Event['kind'], more: Partial<Event>): Event[] =>
    at === null
      ? []
      : [{ at: at.toISOString(), kind, node: null, nodeId: null, message: null, trash: null, text: '', ...more }]
  const events = [
    ...of(startedAt, 'started', { node, nodeId, text: run.rerunOf === null ? 'started' : `started as a rerun` }),
    ...of(cancelRequestedAt, 'cancelRequested', { text: 'somebody asked to cancel it' }),
    ...trash.flatMap((row) => [
      ...of(row.createdAt, 'trashed', { ...placeOf(row), text: row.error.title }),
      ...(row.state === 'open' ? [] : of(row.settledAt, row.state, { ...placeOf(row), text: row.reason ?? row.state })),
    ]),
    ...endsOf(run, trash).flatMap(({ at, state }) => of(at, 'ended', { text: state })),
  ]
  return events.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
}

/** What is discarded after the end moves no end: the run had failed then, and is as it is since the last of it was discarded. */
function endsOf({ state, finishedAt }: Run, trash: readonly TrashHead[]): { at: Date | null; state: Run['state'] }[] {
  const settled = trash.flatMap((row) => (row.state === 'discarded' && row.settledAt !== null ? [row.settledAt] : []))
  const last = settled.toSorted((a, b) => b.getTime() - a.getTime())[0]
  if (state !== 'finished' || finishedAt === null || last === undefined || last <= finishedAt)
    return [{ at: finishedAt, state }]
  return [
    { at: finishedAt, state: 'failed' },
    { at: last, state },
  ]
}

const placeOf = ({ nodeName: node, nodeId, messageId: message, id: trash }: TrashHead) => ({
  node,
  nodeId,
  message,
  trash,
})
