/** What has to be done so that a process comes to a point at all. The load alone comes to all others. */
import { setTimeout as wait } from 'node:timers/promises'
import { lastNode, parallel } from '../model.ts'
import type { Point } from '../parts/points.ts'
import type { Doer } from './doer.ts'

/** Makes occasions until the signal aborts, and then undoes what must not stay. */
type Occasion = (doer: Doer, signal: AbortSignal) => Promise<void>

const everyMs = 300

/** Null: it needs none. */
export function occasionOf(point: Point): Occasion | null {
  switch (point) {
    case 'before-cancel':
    case 'after-cancel':
      return repeating((doer, n) => doer.do({ atMs: 0, kind: 'cancel', which: (n % 4) / 4 }))
    case 'plan-queued':
    case 'plan-stored':
    case 'plan-told':
      return repeating((doer, n) => doer.do({ atMs: 0, kind: 'prefetch', node: 'join', prefetch: prefetchOf(n) }))
    case 'before-drop':
      return repeating((doer) => doer.do({ atMs: 0, kind: 'remove', inFlight: 'drain', forMs: 3_000 }))
    case 'mid-sweep':
      return stuck
    default:
      return null
  }
}

const prefetchOf = (n: number): number => 1 + (n % (parallel.get('join') ?? 1))

function repeating(once: (doer: Doer, n: number) => Promise<unknown>): Occasion {
  return async (doer, signal) => {
    for (let n = 0; !signal.aborted; n++) {
      await once(doer, n)
      await wait(everyMs, undefined, { signal }).catch(() => undefined)
    }
  }
}

/** Behind a message that isn't settled, everything else is: that is swept as soon as it is old enough. */
const stuck: Occasion = async (doer, signal) => {
  await doer.setPaused(lastNode, true)
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  await doer.setPaused(lastNode, false)
}
