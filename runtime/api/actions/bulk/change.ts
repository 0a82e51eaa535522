import { Conflict } from '../../../errors.ts'
import { changeBulk, lockBulk } from '../../../store/bulk/bulks.ts'
import type { Bulk, BulkChange } from '../../../store/bulk/bulks.ts'
import { ofBulk } from '../../access/targets.ts'
import type { Changing } from '../../deps.ts'
import { tellBulk } from './tell.ts'

/** What a person wishes. `canary` of a resumed one that had stopped: with it again, or without. */
export type Wish =
  | { readonly kind: 'pause' }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'resume'; readonly canary: boolean | undefined }

/**
 * Pauses, resumes or cancels a bulk; what it is already, it stays. What is under way goes on in any case, and is followed to its end.
 * Throws `NotFound`, `Conflict`, `LostRace`.
 */
export async function changeBulkState(deps: Changing, id: string, wish: Wish, ifVersion: number | null): Promise<Bulk> {
  const changed = await deps.store.transaction(async (inside) => {
    const before = await lockBulk(inside, id, ifVersion)
    const change = changeOf(before, wish)
    if (change === null) return before
    const after = await changeBulk(inside, id, change, true)
    await deps.audit(inside, ofBulk(after, { state: before.state }, { state: after.state }))
    return after
  })
  tellBulk(deps.events, changed)
  return changed
}

/** Null: it is so already. */
function changeOf(bulk: Bulk, wish: Wish): BulkChange | null {
  const { state } = bulk
  if (wish.kind === 'pause') {
    if (state === 'paused') return null
    if (state !== 'running') throw isAlready(state)
    return { state: 'paused' }
  }
  if (wish.kind === 'cancel') {
    if (state === 'cancelled') return null
    if (state === 'finished') throw isAlready(state)
    return { state: 'cancelled', ...(bulk.underWay === 0 && { finishedAt: new Date() }) }
  }
  if (state === 'running') return null
  if (state === 'paused') return { state: 'running' }
  if (state !== 'stopped') throw isAlready(state)
  return { state: 'running', stoppedBecause: null, ...begunAgain(bulk, wish.canary ?? bulk.canary !== null) }
}

const isAlready = (state: string): Conflict => new Conflict(`the bulk is ${state} already`)

/** It goes on from where it stopped, and what failed before counts no more. */
function begunAgain({ done, failedAgain, canary }: Bulk, hasCanary: boolean): BulkChange {
  const base = { baseDone: done, baseFailed: failedAgain, recent: '', window: 0, stepBase: done + failedAgain }
  return hasCanary && canary !== null ? { ...base, step: 'first' } : { ...base, step: 'all' }
}
