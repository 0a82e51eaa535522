import { setTimeout as wait } from 'node:timers/promises'
import { textOf } from '../../../errors.ts'
import { outlook } from '../../../store/queries/starts/gates.ts'
import { cancelOrphaned, claimUnsent } from '../../../store/queries/starts/written.ts'
import type { ApiDeps } from '../../deps.ts'
import { decideDue } from './fire.ts'
import { releaseQueued } from './release.ts'
import { sendStarts } from './send.ts'
import { tellRuns } from './tell.ts'

/**
 * Starts what is due. Every control does this; the life of a firing:
 *
 *   its instant comes ─▶ decided, once (fire.ts): begun, queued, skipped or passed over ─▶ its run is written down
 *     ─▶ queued: until no run of the node is going on (release.ts) ─▶ sent into the queue (send.ts) ─▶ seen there by the recorder
 *
 * - Of each instant is decided in one transaction with the instant that comes next, under the lock of the node's gate. Runs that were
 *   started through the API pass the same gate (gate.ts), so none overlaps that mustn't.
 * - What is written down is sent, whoever dies: a start that nobody has noted as sent is sent again, and the guard takes it once.
 */
export interface Firing {
  /** Resolves when nothing is under way; twice is harmless. */
  close(): Promise<void>
}

type Deps = Pick<ApiDeps, 'store' | 'queues' | 'admission' | 'events' | 'log'>

/** How long at most until it is looked again: another control may have put an earlier instant. */
const lookEveryMs = 500
const retryMs = 1_000
/** A start that isn't noted as sent after so long is sent again. */
const unsentMs = 1_000
const claimedMax = 500
const warnEveryMs = 60_000

/** Resolves after a first look: what fell due while no control lived is decided by what is stored now. */
export async function openFiring(deps: Deps): Promise<Firing> {
  const stopping = new AbortController()
  const look = lookOf(deps)
  const restMs = await look()
  const running = keepLooking(look, restMs, stopping.signal)
  return {
    async close() {
      stopping.abort()
      await running
    },
  }
}

async function keepLooking(look: () => Promise<number>, firstMs: number, signal: AbortSignal): Promise<void> {
  let restMs = firstMs
  while (await wait(restMs, true, { signal }).catch(() => false)) restMs = await look()
}

/** A look that never rejects; resolves with the milliseconds until the next one. */
function lookOf(deps: Deps): () => Promise<number> {
  let warnedAtMs = -Infinity
  return async () => {
    try {
      return await lookOnce(deps)
    } catch (error) {
      if (performance.now() - warnedAtMs > warnEveryMs) {
        warnedAtMs = performance.now()
        deps.log.warn('what is due is looked at again', { error: textOf(error) })
      }
      return retryMs
    }
  }
}

async function lookOnce(deps: Deps): Promise<number> {
  const { dueInMs, queued, unsent, orphaned } = await outlook(deps.store, unsentMs)
  if (orphaned) tellRuns(deps.events, await cancelOrphaned(deps.store))
  if (unsent) await sendStarts(deps, await claimUnsent(deps.store, unsentMs, claimedMax))
  if (queued) await sendStarts(deps, await releaseQueued(deps))
  if (dueInMs !== 0) return Math.min(dueInMs ?? lookEveryMs, lookEveryMs)
  const { starts, due } = await decideDue(deps)
  await sendStarts(deps, starts)
  // Another control holds what is due.
  return due === 0 ? heldMs : 0
}

const heldMs = 50
