import { setMaxListeners } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { textOf } from '../../../errors.ts'
import { newId } from '../../../ids.ts'
import { forgetBulk, releaseBulk, takeBulks } from '../../../store/bulk/bulks.ts'
import { atMost } from '../../at-most.ts'
import type { ApiDeps } from '../../deps.ts'
import { carryOut } from './carry/carry.ts'
import type { CarryDeps } from './carry/carry.ts'

/**
 * Carries out bulk replays and discards of Trash. Every control does this; each bulk is one control's at a time, by a lease in its row
 * that runs by the clock of the database. Two that hold the same one, for a moment, do no harm: what is done is done under the guard of
 * each message, and counted where it is written.
 */
export interface Bulks {
  /** Resolves when nothing is under way; twice is harmless. */
  close(): Promise<void>
}

type Deps = Pick<ApiDeps, 'store' | 'queues' | 'events' | 'log'>

const lookEveryMs = 500
const warnEveryMs = 60_000
/** Most of so many only wait, which costs little. */
const atOnce = 100
/** Transactions that are held open while something is published: most connections are for others. */
const turns = 2
const forgetEveryMs = 3_600_000
const keptMs = 30 * 86_400_000
const forgottenAtOnce = 10_000

export function openBulks(deps: Deps): Bulks {
  const stopping = new AbortController()
  // Each bulk that rests listens to it.
  setMaxListeners(atOnce + 1, stopping.signal)
  const running = keepLooking({ ...deps, inTurn: atMost(turns) }, stopping.signal)
  return {
    async close() {
      stopping.abort()
      await running
    },
  }
}

async function keepLooking(deps: CarryDeps, signal: AbortSignal): Promise<void> {
  const holder = newId()
  const open = new Map<string, Promise<void>>()
  const known = { warnedAtMs: -Infinity, forgotAtMs: -Infinity }
  const warn = (error: unknown): void => {
    if (signal.aborted || performance.now() - known.warnedAtMs < warnEveryMs) return
    known.warnedAtMs = performance.now()
    deps.log.warn('bulks of Trash go on later', { error: textOf(error) })
  }
  while (!signal.aborted) {
    const ids = open.size < atOnce ? await takeBulks(deps.store, holder, atOnce).catch(orNone(warn)) : []
    for (const id of ids) {
      if (open.has(id)) continue
      const carried = carryOut(deps, id, holder, signal).catch(warn)
      open.set(
        id,
        carried.finally(() => open.delete(id)),
      )
    }
    if (performance.now() - known.forgotAtMs > forgetEveryMs) {
      known.forgotAtMs = performance.now()
      await forget(deps, signal).catch(warn)
    }
    await wait(lookEveryMs, null, { signal }).catch(() => null)
  }
  await Promise.all([...open].map(([id, carried]) => carried.then(() => release(deps, id, holder))))
}

const orNone =
  (warn: (error: unknown) => void) =>
  (error: unknown): string[] => {
    warn(error)
    return []
  }

/** So that another control needn't wait until the lease is over. */
async function release({ store }: Deps, id: string, holder: string): Promise<void> {
  await releaseBulk(store, id, holder).catch(() => undefined)
}

/** Bulks that ended long ago, in small portions. */
async function forget({ store }: Deps, signal: AbortSignal): Promise<void> {
  const before = new Date(Date.now() - keptMs)
  while (!signal.aborted && (await forgetBulk(store, before, forgottenAtOnce)));
}
