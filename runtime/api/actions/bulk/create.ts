import { Conflict, Invalid } from '../../../errors.ts'
import { newId } from '../../../ids.ts'
import type { Patch } from '../../../protocol/patch/patch.ts'
import { getBulk } from '../../../store/bulk/bulks.ts'
import type { Bulk } from '../../../store/bulk/bulks.ts'
import { insertBulk, unknownTrash } from '../../../store/bulk/set.ts'
import type { Canary } from '../../../store/schema/index.ts'
import { getTopology } from '../../../store/queries/topologies.ts'
import type { TrashFilter } from '../../../store/trash/filter.ts'
import { ofBulk } from '../../access/targets.ts'
import type { ApiDeps, Changing } from '../../deps.ts'
import { tellBulk, withoutBody } from './tell.ts'

/** What is asked for, and how the filter is understood. */
export interface Wanted {
  readonly action: Bulk['action']
  readonly asked: Readonly<Record<string, unknown>>
  readonly filter: TrashFilter
  readonly patch: Patch | null
  /** Null: as many as there are decide. */
  readonly canary: Canary | false | null
  readonly ratePerSecond: number | null
  readonly stopAtFailedPercent: number
  /** Also what doesn't fit the input schema of its node. */
  readonly acceptWarnings: boolean
  readonly reason: string | null
  readonly by: string
}

export const canaryDefault: Canary = { first: 1, five: 5 }
/** Of fewer messages nobody needs a canary. */
const canaryAbove = 10
const namedMax = 20

/** Writes down a bulk with its set. Throws `Invalid` for ids that aren't there, `NotFound`, and `Conflict` when nothing fits. */
export async function createBulk(deps: Changing, wanted: Wanted): Promise<Bulk> {
  const { store, events, audit } = deps
  await refuseUnknown(deps, wanted)
  const { action, asked, patch, ratePerSecond, stopAtFailedPercent, acceptWarnings, reason, by } = wanted
  const id = newId()
  const told = { action, filter: asked, patch, ratePerSecond, stopAtFailedPercent, acceptWarnings, reason, by }
  const topologyId = wanted.filter.topologyId ?? null
  const bulk = await store.transaction(async (inside) => {
    const total = await insertBulk(inside, id, wanted.filter, (total) => {
      const canary = canaryOf(wanted, total)
      return { topologyId, ...told, canary, step: canary === null ? 'all' : 'first' }
    })
    if (total === 0) throw await nothingFits(deps, wanted)
    const made = await getBulk(inside, id)
    await audit(inside, ofBulk(made, null, { ...shownOf(made), total }))
    return made
  })
  tellBulk(events, bulk)
  return bulk
}

/** What a patch puts into messages, and what a filter looks for in them, is not for the log. */
function shownOf({ action, filter, patch, canary, ratePerSecond, stopAtFailedPercent, acceptWarnings, reason }: Bulk) {
  const { ids, ...rest } = withoutBody(filter) as { ids?: readonly string[] }
  const shown = ids === undefined ? rest : { ...rest, ids: ids.length }
  return {
    action,
    filter: shown,
    patch: patch?.type ?? null,
    canary,
    ratePerSecond,
    stopAtFailedPercent,
    acceptWarnings,
    reason,
  }
}

export async function refuseUnknown(
  { store }: Pick<ApiDeps, 'store'>,
  { filter }: Pick<Wanted, 'filter'>,
): Promise<void> {
  const { ids, topologyId } = filter
  if (ids === undefined) return
  const unknown = await unknownTrash(store, ids, topologyId)
  if (unknown.length === 0) return
  const errors = unknown
    .slice(0, namedMax)
    .map((id) => ({ path: `filter.ids[${ids.indexOf(id)}]`, message: `there is no message "${id}" in Trash` }))
  const where = topologyId === undefined ? '' : ' of this topology'
  throw new Invalid(`${unknown.length} of ${ids.length} ids are of no message in Trash${where}`, errors)
}

/** Why, if the topology isn't there at all. */
export async function nothingFits(
  { store }: Pick<ApiDeps, 'store'>,
  { filter, asked }: Pick<Wanted, 'filter' | 'asked'>,
): Promise<Error> {
  const { topology } = asked as { topology?: string }
  if (topology !== undefined) await getTopology(store, topology)
  return new Conflict(
    filter.ids === undefined ? 'no open message in Trash fits the filter' : 'none of these messages fits the filter',
  )
}

/** Without one being asked for, a replay of more than a few messages has one. */
function canaryOf({ action, canary }: Wanted, total: number): Canary | null {
  if (canary === false || action === 'discard') return null
  return canary ?? (total > canaryAbove ? canaryDefault : null)
}
