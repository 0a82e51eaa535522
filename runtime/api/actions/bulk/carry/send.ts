import { textOf, Unavailable } from '../../../../errors.ts'
import { settleDirectly, lockPosition } from '../../../../store/outcomes.ts'
import { lockBulk } from '../../../../store/bulk/bulks.ts'
import type { Bulk } from '../../../../store/bulk/bulks.ts'
import { lockWhole, nextMembers, topologyIdsOf, writeOutcomes } from '../../../../store/bulk/messages.ts'
import type { Member, Settled, Whole } from '../../../../store/bulk/messages.ts'
import type { BulkPlace } from '../../../../store/schema/index.ts'
import { isEventNode } from '../../../../topology/plan.ts'
import type { PlanNode } from '../../../../topology/plan.ts'
import type { ApiDeps } from '../../../deps.ts'
import { eachOf } from '../../look/each.ts'
import { replayed } from '../../settle-trash.ts'
import { portion } from './claim.ts'
import { isOrdered, openTargets, refusalOf } from './target.ts'
import type { Targets } from './target.ts'

type Deps = Pick<ApiDeps, 'store' | 'queues'>

/** A message that is under way now. */
export interface Sent extends Member {
  readonly place: BulkPlace
  readonly bytes: number
}

/** What came of a portion. `left`: some couldn't be sent now, and are to be tried again. */
export interface Sending {
  readonly sent: readonly Sent[]
  readonly settled: number
  readonly left: string | null
}

/** Publishes on their way at once; those before an ordered node go one after the other. */
const sideBySide = 200
/**
 * A process that was stopped for long must not publish what others have published and the janitor has compacted: that takes minutes. For
 * so long after the rows were locked it knows that they are open.
 */
const freshMs = 10_000

/**
 * Sends the next claimed messages. Their rows are locked meanwhile, so nobody edits what is being sent. Each is one guarded publish under
 * a key that is the row's: of all that replay or discard it, whatever they are and whatever crashes, one wins, once (I2).
 */
export async function sendClaimed(deps: Deps, bulk: Bulk): Promise<Sending> {
  const targets = openTargets(deps)
  const orphans: Member[] = []
  const sending = await deps.store.transaction(async (inside) => {
    const members = await nextMembers(inside, bulk.id, 'sending', portion)
    const { locked, gone } = await lockWhole(
      inside,
      members.map(({ trashId }) => trashId),
    )
    const until = performance.now() + freshMs
    const known = members.flatMap((member): (Member & Whole)[] => {
      const whole = locked.get(member.trashId)
      return whole === undefined ? [] : [{ ...member, ...whole }]
    })
    const results = await sendAll({ ...deps, bulk, targets, until }, known)
    const lost = members.flatMap(({ position, trashId }): Settled[] =>
      gone.has(trashId) ? [{ position, outcome: 'refused', why: 'it is not in Trash any more' }] : [],
    )
    const settled = [...lost, ...results.flatMap((one) => ('outcome' in one ? [one] : []))]
    orphans.push(...results.flatMap((one) => ('orphan' in one ? [one.orphan] : [])))
    await lockBulk(inside, bulk.id)
    await writeOutcomes(inside, bulk.id, settled)
    const failed = results.find((one) => 'error' in one)?.error
    const held = members.length - known.length - lost.length
    const left = failed !== undefined ? textOf(failed) : held > 0 ? 'somebody else holds the message' : null
    return { sent: results.flatMap((one) => ('sent' in one ? [one.sent] : [])), settled: settled.length, left }
  })
  const direct = await discardOrphans(deps, bulk, orphans)
  return { ...sending, settled: sending.settled + direct }
}

interface Around extends Deps {
  readonly bulk: Bulk
  readonly targets: Targets
  readonly until: number
}

type Result =
  | (Settled & { readonly sent?: never })
  | (Settled & { readonly sent: Sent })
  | { readonly orphan: Member }
  | { readonly error: unknown }

type One = Member & Whole

/** In the order of the set where the node keeps one. After one of these can't be sent, none behind it is. */
async function sendAll(around: Around, known: readonly One[]): Promise<Result[]> {
  const lines = new Map<string, { readonly one: One; readonly node: PlanNode | null }[]>()
  const results: Result[] = []
  for (const one of known) {
    const target = await targetOf(around, one)
    if (typeof target === 'string') results.push({ position: one.position, outcome: 'refused', why: target })
    else {
      const key = target !== null && isOrdered(target) ? target.id : `one ${one.position}`
      lines.set(key, [...(lines.get(key) ?? []), { one, node: target }])
    }
  }
  await eachOf([...lines.values()], sideBySide, async (line) => {
    for (const { one, node } of line) {
      const result = await sendOne(around, one, node).catch((error: unknown): Result => {
        const why = refusalOf(error)
        return why === null ? { error } : { position: one.position, outcome: 'refused', why }
      })
      results.push(result)
      if ('error' in result) return
    }
  })
  return results
}

/** Null for a discard, and for what is decided of already; a text: why it is refused. */
async function targetOf({ bulk, targets }: Around, { row }: One): Promise<PlanNode | string | null> {
  if (bulk.action === 'discard' || row.state !== 'open') return null
  try {
    return await targets.node(row)
  } catch (error) {
    const why = refusalOf(error)
    if (why === null) throw error
    return why
  }
}

async function sendOne(around: Around, one: One, node: PlanNode | null): Promise<Result> {
  const { bulk, queues, targets, until } = around
  const { row } = one
  if (row.state !== 'open') return decidedBefore(around, one)
  if (bulk.action === 'discard' && (await targets.topology(row)) === null) return { orphan: one }
  if (performance.now() > until)
    throw new Unavailable('control', 'it was stopped for too long: the messages are looked at again')
  const names = { topologyId: row.topologyId, nodeId: row.nodeId, trashId: row.id, run: row.runId, bulk: bulk.id }
  const guarded =
    node === null
      ? await queues.discard({ ...names, reason: bulk.reason, replay: row.message.replay })
      : await queues.replay({ ...names, ...contentOf(one, node) })
  return guarded === 'accepted' ? mine(around, one) : decidedBefore(around, one)
}

function contentOf({ row, edit }: One, node: PlanNode) {
  const { headers, contentType, body } = replayed(edit ?? { ...row, headers: row.message.headers }, isEventNode(node))
  return { message: { ...row.message, headers, contentType }, edited: edit !== null, body }
}

function mine({ bulk }: Around, { position, trashId, row, edit }: One): Result {
  if (bulk.action === 'discard') return { position, outcome: 'discarded' }
  const { topologyId, nodeId, runId: run, message } = row
  const replay = message.replay + 1
  const id = edit === null ? message.id : `${message.id}!${replay}`
  const place = { topologyId, nodeId, run, id, page: message.page, replay, round: 0, sequence: null }
  const bytes = (edit ?? row).body.length
  return { position, outcome: 'underWay', place, sent: { position, trashId, place, bytes } }
}

/**
 * Somebody has replayed or discarded it before: this bulk itself, before it crashed, or another one. When that isn't stored any more it
 * was this one: it had claimed the row while it was open.
 */
async function decidedBefore(around: Around, one: One): Promise<Result> {
  const { position, row } = one
  const decided = await around.queues.decided(row.topologyId, row.id, row.message.replay)
  if (decided === null && row.state === 'open')
    throw new Unavailable('nats', 'what was decided of a message is not to be seen yet')
  if (decided === null || decided.bulk === around.bulk.id) return mine(around, one)
  const who = decided.bulk === null ? '' : ` by bulk ${decided.bulk}`
  return { position, outcome: 'refused', why: `it was ${decided.as}${who} already` }
}

/** Of topologies whose streams are gone: there is nobody to ask, and nobody to race with but ourselves. */
async function discardOrphans({ store }: Deps, bulk: Bulk, orphans: readonly Member[]): Promise<number> {
  let settled = 0
  const ids = orphans.map(({ trashId }) => trashId)
  for (const topologyId of await topologyIdsOf(store, ids)) {
    settled += await store.transaction(async (inside) => {
      await lockPosition(inside, topologyId)
      const { locked } = await lockWhole(inside, ids)
      const mine = orphans.flatMap(({ position, trashId }) => {
        const row = locked.get(trashId)?.row
        return row?.topologyId === topologyId ? [{ position, row }] : []
      })
      const at = new Date().toISOString()
      const { reason } = bulk
      const discards = mine.flatMap(({ row: { id: trashId, runId: run, nodeId, state } }) =>
        state === 'open' ? [{ kind: 'discarded' as const, run, nodeId, at, trashId, reason }] : [],
      )
      await settleDirectly(inside, topologyId, ...discards)
      await lockBulk(inside, bulk.id)
      const outcomes = mine.map(({ position, row }): Settled =>
        row.state === 'open'
          ? { position, outcome: 'discarded' }
          : { position, outcome: 'refused', why: `it is ${row.state} already` },
      )
      return writeOutcomes(inside, bulk.id, outcomes)
    })
  }
  return settled
}
