import { Conflict, LostRace, NotFound } from '../../errors.ts'
import type { Guarded } from '../../queue/control.ts'
import { lockPosition, settleDirectly } from '../../store/outcomes.ts'
import { getTopology } from '../../store/queries/topologies.ts'
import type { Topology } from '../../store/queries/topologies.ts'
import { getTrash, lockTrash, newestEditOf, newestVersionOf, refuseEdited } from '../../store/queries/trash.ts'
import type { TrashHead, TrashRow } from '../../store/queries/trash.ts'
import type { Store } from '../../store/store.ts'
import { changeOutside } from '../access/audit.ts'
import type { Fields } from '../access/change.ts'
import { ofTrash } from '../access/targets.ts'
import type { Changing } from '../deps.ts'
import { isCsv, onlyRecord, openRecord } from '../../protocol/records/open.ts'
import { isEventNode } from '../../topology/plan.ts'
import type { Plan, PlanNode } from '../../topology/plan.ts'
import { newestPlan } from './plans.ts'
import { elsewhere, failedAtEvent, refuseChanged, targetOf } from './trash/elsewhere.ts'
import { refuseUnfit } from './trash/fits.ts'

/**
 * Replay and discard are guarded publishes under one key: one of them wins, once. The Trash row changes when the
 * recorder has read it, a moment later (I6).
 */
type Deps = Pick<Changing, 'store' | 'queues' | 'log' | 'audit'>

export interface Wanted {
  /** Of which the message's newest version has to be; null: whatever it is. */
  readonly ifVersion: number | null
  /** Id or name of the node that it goes to; null: the one at which it failed. */
  readonly node: string | null
  /** False: only if the published plan handles it as the revision did by which it failed. */
  readonly newestRevision: boolean
  /** Also a body that doesn't fit the node's input schema. */
  readonly acceptWarnings: boolean
  /** Whoever asks may see what messages hold. */
  readonly mayTell: boolean
}

/**
 * Sends the message, as it failed or as it was edited last, to its node again, or to another one of its topology. Goes by the published
 * plan. Throws `NotFound`, `Conflict`, 409 with what doesn't fit, and `LostRace` when its newest version isn't `ifVersion`.
 */
export async function replayTrash(deps: Deps, id: string, wanted: Wanted): Promise<void> {
  try {
    await replayNewest(deps, id, wanted)
  } catch (error) {
    // Edited between the look and the lock: whoever asks for the newest gets it.
    if (!(error instanceof LostRace) || wanted.ifVersion !== null) throw error
    await replayTrash(deps, id, wanted)
  }
}

async function replayNewest(deps: Deps, id: string, wanted: Wanted): Promise<void> {
  const { store, queues } = deps
  const row = await openRow(store, id)
  const edit = await newestEditOf(store, id)
  const version = edit?.version ?? 0
  refuseEdited(version, wanted.ifVersion)
  const plan = await planAgain(store, await topologyOf(store, row), row)
  const node = targetOf(plan, row, wanted.node)
  const isOwn = node.id === row.nodeId
  if (!wanted.newestRevision) await refuseChanged(store, node, row)
  if (await queues.isCancelling(row.topologyId, row.runId)) throw beingCancelled()
  const isRecord = isOwn ? isEventNode(node) : await failedAtEvent(store, plan, row)
  const sent = replayed(edit ?? { ...row, headers: row.message.headers }, isRecord)
  if (!wanted.acceptWarnings) await refuseUnfit(store, node, sent, wanted.mayTell)
  const message = isOwn ? row.message : elsewhere(row.message)
  const after = { state: 'replaying', version, ...(!isOwn && { node: node.name }) }
  await settle(deps, row, after, version, () =>
    queues.replay({
      topologyId: row.topologyId,
      nodeId: node.id,
      ...(!isOwn && { failedAt: row.nodeId }),
      trashId: row.id,
      run: row.runId,
      message: { ...message, headers: sent.headers, contentType: sent.contentType },
      // Elsewhere the message may have been before, under this id and as this hop: decision 021.
      edited: edit !== null || !isOwn,
      body: sent.body,
    }),
  )
}

/** The plan by which a message is sent again. Throws `Conflict`; `topology` null: it is deleted. */
export async function planAgain(store: Store, topology: Topology | null, row: TrashHead): Promise<Plan> {
  if (!topology) throw new Conflict(`the topology "${row.topologyName}" is deleted: the message can only be discarded`)
  const plan = topology.visibility === 'public' ? await newestPlan(store, topology) : null
  if (!plan) throw new Conflict(`the topology "${topology.name}" is a draft: publish it first`)
  return plan
}

/** Where it is sent again. Throws `Conflict`. */
export function nodeAgain(plan: Plan, row: TrashHead): PlanNode {
  return targetOf(plan, row, null)
}

export const beingCancelled = (): Conflict =>
  new Conflict('the run is being cancelled: a replay would be cancelled too; try again when it has ended')

type Payload = Pick<TrashRow, 'headers' | 'contentType' | 'body'>

/** Before an event node lies what was no record of a start: mended, it goes on as that record. Throws `Conflict` while it is none. */
export function replayed({ headers, contentType, body }: Payload, isRecord: boolean): Payload {
  const reader = isRecord ? openRecord(contentType) : null
  if (reader === null) return { headers, contentType, body }
  const record = onlyRecord(reader, body)
  if (record.kind === 'fault')
    throw new Conflict(
      `it is no record yet (${record.detail}): edit it first${isCsv(contentType) ? header : ''}, or discard it`,
    )
  return { headers, contentType: 'application/json', body: record.body }
}

/** Without it the row would be read as the names of its columns. */
const header = ', below the line with the names of the columns, as in its original'

/**
 * Nobody edits the message meanwhile. Throws `Conflict` when somebody else has settled it, and `LostRace` when its newest version isn't
 * `version` (null: whatever it is).
 */
async function settle(
  deps: Deps,
  row: TrashRow,
  after: Fields,
  version: number | null,
  work: () => Promise<Guarded>,
): Promise<void> {
  await changeOutside(deps, ofTrash(row, { state: row.state }, after), async (inside) => {
    await lockVersion(inside, row.id, version)
    if ((await work()) === 'settled') throw settledAlready()
  })
}

async function lockVersion(inside: Store, id: string, version: number | null): Promise<void> {
  await lockTrash(inside, id)
  refuseEdited(await newestVersionOf(inside, id), version)
}

/**
 * Gives the message up. The answer says whether it is done, or will be as soon as it is recorded. Throws `NotFound`, `Conflict`, and
 * `LostRace` when its newest version isn't `ifVersion` (null: whatever it is).
 */
export async function discardTrash(
  deps: Deps,
  id: string,
  reason: string | null,
  ifVersion: number | null,
): Promise<'discarding' | 'discarded'> {
  const { store, queues, audit } = deps
  const row = await openRow(store, id)
  const { topologyId, nodeId, runId: run } = row
  if (!(await topologyOf(store, row))) {
    // Its stream is gone, and with it every rival: there is nobody to ask, and nobody to race with but ourselves.
    const at = new Date().toISOString()
    await store.transaction(async (inside) => {
      await lockPosition(inside, topologyId)
      await lockVersion(inside, id, ifVersion)
      await audit(inside, ofTrash(row, { state: row.state }, { state: 'discarded', reason }))
      await settleDirectly(inside, topologyId, { kind: 'discarded', run, nodeId, at, trashId: id, reason })
    })
    return 'discarded'
  }
  const { replay } = row.message
  await settle(deps, row, { state: 'discarding', reason }, ifVersion, () =>
    queues.discard({ topologyId, nodeId, trashId: id, run, reason, replay }),
  )
  return 'discarding'
}

async function openRow(store: Store, id: string): Promise<TrashRow> {
  const row = await getTrash(store, id)
  if (row.state !== 'open') throw new Conflict(`the message is ${row.state} already`)
  return row
}

async function topologyOf(store: Store, row: TrashRow): Promise<Topology | null> {
  try {
    const topology = await getTopology(store, row.topologyId)
    // A topology whose name looks like the id of a deleted one isn't that one.
    return topology.id === row.topologyId ? topology : null
  } catch (error) {
    if (error instanceof NotFound) return null
    throw error
  }
}

function settledAlready(): Conflict {
  return new Conflict('the message is being replayed or discarded already')
}
