import { textOf, Unavailable } from '../../../../errors.ts'
import { settleDirectly, lockPosition } from '../../../../store/outcomes.ts'
import { lockBulk } from '../../../../store/bulk/bulks.ts'
import type { Bulk } from '../../../../store/bulk/bulks.ts'
import { lockWhole, nextMembers, topologyIdsOf, writeOutcomes } from '../../../../store/bulk/messages.ts'
import type { Member, NextMember, Settled, Whole } from '../../../../store/bulk/messages.ts'
import type { Decided } from '../../../../queue/control.ts'
import type { BulkPlace } from '../../../../store/schema/index.ts'
import { isEventNode } from '../../../../topology/plan.ts'
import type { PlanNode } from '../../../../topology/plan.ts'
import type { ApiDeps } from '../../../deps.ts'
import { eachOf } from '../../look/each.ts'
import { replayed } from '../../settle-trash.ts'
import { notInTrash, portion } from './claim.ts'
import { isOrdered, openTargets, placeOf, refusalOf } from './target.ts'
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
    const around = { ...deps, bulk, targets, until }
    const erased = members.filter(({ trashId }) => gone.has(trashId))
    const lost = await eachOf(erased, sideBySide, (one) => erasedSince(around, one))
    const results = [...lost, ...(await sendAll(around, known))]
    const settled = results.flatMap((one) => ('outcome' in one ? [one] : []))
    orphans.push(...results.flatMap((one) => ('orphan' in one ? [one.orphan] : [])))
    await lockBulk(inside, bulk.id)
    await writeOutcomes(inside, bulk.id, settled)
    const failed = results.find((one) => 'error' in one)?.error
    const held = members.length - known.length - lost.length
    const left = failed !== undefined ? textOf(failed) : held > 0 ? heldText : null
    return { sent: results.flatMap((one) => ('sent' in one ? [one.sent] : [])), settled: settled.length, left }
  })
  const direct = await discardOrphans(deps, bulk, orphans)
  // Of those that somebody held or erased just now the next time says more.
  const left = sending.left ?? (direct < orphans.length ? heldText : null)
  return { ...sending, settled: sending.settled + direct, left }
}

const heldText = 'somebody else holds the message'

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
  return guarded === 'accepted' ? mineAsIs(around, one) : decidedBefore(around, one)
}

function contentOf({ row, edit }: One, node: PlanNode) {
  const { headers, contentType, body } = replayed(edit ?? { ...row, headers: row.message.headers }, isEventNode(node))
  return { message: { ...row.message, headers, contentType }, edited: edit !== null, body }
}

function mine({ bulk }: Around, { position, trashId }: Member, place: BulkPlace, bytes: number): Result {
  if (bulk.action === 'discard') return { position, outcome: 'discarded' }
  return { position, outcome: 'underWay', place, sent: { position, trashId, place, bytes } }
}

const mineAsIs = (around: Around, one: One): Result =>
  mine(around, one, placeOf(one.row, one.edit !== null), (one.edit ?? one.row).body.length)

/**
 * Somebody has replayed or discarded it before: this bulk itself, before it crashed, or another one. When that isn't stored any more, and
 * the row is what this bulk makes of it, it was this one: it had claimed the row while it was open.
 */
async function decidedBefore(around: Around, one: One): Promise<Result> {
  const { bulk, queues } = around
  const { position, row, edit } = one
  const decided = await queues.decided(row.topologyId, row.id, row.message.replay)
  if (decided === null) {
    if (row.state === 'open') throw new Unavailable('nats', 'what was decided of a message is not to be seen yet')
    if (row.state === settledAs[bulk.action]) return mineAsIs(around, one)
    return { position, outcome: 'refused', why: `it is ${row.state} already` }
  }
  if (decided.bulk !== bulk.id) return { position, outcome: 'refused', why: saidOf(decided) }
  // Somebody may have edited it since it was sent.
  const place = placeOf(row, edit !== null)
  return mine(around, one, { ...place, id: decided.id ?? place.id }, (edit ?? row).body.length)
}

const settledAs = { replay: 'replayed', discard: 'discarded' } as const

const saidOf = ({ as, bulk }: Decided): string => `it was ${as}${bulk === null ? '' : ` by bulk ${bulk}`} already`

/** Its row was there when it was claimed. This bulk may have sent it before it crashed: then it is followed as any other. */
async function erasedSince(around: Around, one: NextMember): Promise<Result> {
  const { position, trashId, place } = one
  const decided = place && (await around.queues.decided(place.topologyId, trashId, place.replay - 1))
  if (!place || decided?.bulk !== around.bulk.id) return { position, outcome: 'refused', why: notInTrash }
  return mine(around, one, { ...place, id: decided.id ?? place.id }, 0)
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
