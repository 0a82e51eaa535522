import type { z } from '@hono/zod-openapi'
import { NotFound } from '../../../errors.ts'
import { parentageOf } from '../../../queue/history/descent.ts'
import type { Asked, Child, Step } from '../../../queue/history/types.ts'
import { findRerun } from '../../../store/queries/history/reruns.ts'
import type { Run } from '../../../store/queries/runs.ts'
import { trashOfMessage } from '../../../store/queries/trash.ts'
import type { TrashHead } from '../../../store/queries/trash.ts'
import type { ApiDeps } from '../../deps.ts'
import type * as schemas from '../../schemas/runs/history.ts'
import { keptOf, namesOf } from './timeline.ts'

type Deps = Pick<ApiDeps, 'store' | 'queues'>
type Timeline = z.infer<typeof schemas.messageTimeline>
type ShownStep = Timeline['steps'][number]

const stepsMax = 100
/** A graph has no more nodes; of drafts and past plans some may be looked at in vain. */
const nodesMax = 400

async function askedOf({ store }: Deps, run: Run): Promise<Asked> {
  const rerun = run.rerunOf === null ? null : await findRerun(store, run.id)
  const entered = rerun?.sequences?.length ?? null
  const { id, topologyId, nodeId, startedAt } = run
  return { topologyId, origin: { run: id, nodeId, startedAt, entered } }
}

/** What happened to one message of a run, as far as it is kept. Throws `NotFound` when nothing is. */
export async function messageTimeline(deps: Deps, run: Run, id: string, page: number): Promise<Timeline> {
  const [kept, asked, names] = await Promise.all([keptOf(deps, run), askedOf(deps, run), namesOf(deps, run)])
  const nodeIds = [...names.keys()].slice(0, nodesMax)
  const life = await deps.queues.history.life(asked, id, { page, limit: stepsMax, nodeIds })
  const steps =
    life === null ? [] : await Promise.all(life.steps.map((step) => shown(deps, run, kept.complete, names, step)))
  const isLost = steps.every(({ state }) => state === 'gone')
  // Trash outlives the queues.
  const trashed = isLost ? (await trashOfMessage(deps.store, run.id, id, stepsMax)).map(fromTrash) : []
  const known = trashed.length > 0 ? trashed : steps
  if (known.length === 0) throw new NotFound(`nothing is kept of a message "${id}" of this run${hint(kept)}`)
  const parentage = parentageOf(id)
  return {
    runId: run.id,
    id,
    parent: parentage?.parent ?? null,
    parentPage: parentage?.page ?? 0,
    ...kept,
    complete: kept.complete && !isLost,
    steps: known,
    nextPage: life?.nextPage ?? null,
  }
}

const hint = ({ complete, since }: { complete: boolean; since: string | null }): string =>
  complete ? '' : ` (any more: its queues keep messages since ${since ?? 'now'})`

async function shown(
  { queues }: Deps,
  run: Run,
  isComplete: boolean,
  names: ReadonlyMap<string, string>,
  step: Step,
): Promise<ShownStep> {
  // The start of a run whose place in the queue isn't known: it waits only if nothing of that time is compacted.
  const isUnseen = step.sequence === 0 && step.state === 'waiting' && (!isComplete || run.state !== 'running')
  const state = isUnseen ? 'gone' : step.state
  const isHere = state === 'waiting' && step.sequence !== null && step.sequence > 0
  return {
    node: names.get(step.nodeId) ?? step.nodeId,
    nodeId: step.nodeId,
    message: step.id,
    page: step.page,
    replay: step.replay,
    state,
    enteredAt: step.enteredAt?.toISOString() ?? null,
    at: step.at?.toISOString() ?? null,
    durationMs: step.at && step.enteredAt && Math.max(0, step.at.getTime() - step.enteredAt.getTime()),
    dueAt: step.dueAt?.toISOString() ?? null,
    held: isHere ? await heldAs(queues, run.topologyId, step) : null,
    ...spentOf(step),
    attempts: [...step.attempts],
    made: step.made,
    trash: step.trash && { ...step.trash, settled: settledOf(step.trash.settled) },
  }
}

function spentOf({ spent }: Step): Pick<ShownStep, 'calls' | 'spent'> {
  if (spent === null) return { calls: null, spent: null }
  const { calls, queuedMs, calledMs, limitMs, retryMs, otherMs } = spent
  return { calls, spent: { queuedMs, calledMs, limitMs, retryMs, otherMs } }
}

const settledOf = (settled: { readonly as: 'replayed' | 'discarded'; readonly at: Date } | null) =>
  settled && { as: settled.as, at: settled.at.toISOString() }

/** Null: no bridge says that it holds the message. */
async function heldAs(queues: Deps['queues'], topologyId: string, step: Step): Promise<ShownStep['held']> {
  const { looks } = await queues.look({ topologyId, nodeId: step.nodeId })
  const holdings = looks.flatMap(({ nodes }) => nodes).flatMap(({ holdings }) => holdings)
  const holding = holdings.find(({ isReply, sequences }) => !isReply && sequences.includes(step.sequence ?? 0))
  if (holding === undefined) return null
  const { kind, since, until, reason } = holding
  return { kind, since, until: until?.last ?? null, reason }
}

function fromTrash(row: TrashHead): ShownStep {
  const settled = row.state !== 'open' && row.settledAt ? { as: row.state, at: row.settledAt.toISOString() } : null
  return {
    node: row.nodeName,
    nodeId: row.nodeId,
    message: row.messageId,
    page: row.message.page,
    replay: row.message.replay,
    state: 'trashed',
    enteredAt: null,
    at: row.createdAt.toISOString(),
    durationMs: null,
    dueAt: null,
    held: null,
    calls: null,
    spent: null,
    attempts: [...row.attempts],
    made: null,
    trash: { id: row.id, error: row.error, settled },
  }
}

type Message = z.infer<typeof schemas.runMessagePage>['items'][number]

/** Messages made from one, by default from that with which the run began. Throws `NotFound` when that is not known (any more). */
export async function messagesOf(
  deps: Deps,
  run: Run,
  of: string,
  view: { readonly page: number; readonly from: number; readonly limit: number },
): Promise<{ items: Message[]; total: number }> {
  const [asked, names] = await Promise.all([askedOf(deps, run), namesOf(deps, run)])
  const found = await deps.queues.history.children(asked, of, view)
  if (found !== null) return { total: found.total, items: found.items.map((child) => shownChild(child, names)) }
  const kept = await keptOf(deps, run)
  throw new NotFound(`"${of}" was not split in this run, or that is not kept${hint(kept)}`)
}

function shownChild({ id, last, enteredAt }: Child, names: ReadonlyMap<string, string>): Message {
  return {
    id,
    node: last && (names.get(last.nodeId) ?? last.nodeId),
    nodeId: last?.nodeId ?? null,
    state: last?.state ?? 'gone',
    enteredAt: enteredAt?.toISOString() ?? null,
    at: last?.at?.toISOString() ?? null,
    made: last?.made ?? null,
    trash: last?.trash?.id ?? null,
  }
}
