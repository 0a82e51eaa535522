import type { Outlook } from '../../call/reach.ts'

/**
 * Whether this bridge takes messages for one worker, which it may not be able to call while another bridge can. What it holds counts
 * for the prefetch of all bridges, so it must not keep what it can't call from those who can.
 *
 *   taking ──can't call, another one can──▶ yielding ──can call again, or no other one can any more──▶ taking
 *                                            │    ▲
 *                                its time is over │ it failed
 *                                            ▼    │
 *                                            trying ──called──▶ taking
 *
 * Y1  taking while calls get through: nobody is asked, nothing is done.
 * Y2  After 2 s without, the others are asked every 2 s which of them can. Who can't say so is silent, as who is gone is.
 * Y3  It yields after 3 s without, when another one has shown lately what fails here: it answered where connections are refused here,
 *     it is healthy where it isn't here. Two that both can't call thus both go on waiting.
 * Y4  yielding: what waits is given back (I9: nothing burnt; I5: it is delivered again before what is behind it), and nothing is
 *     taken; calls that are open go on to their end.
 * Y5  It takes again as soon as calls get through here, and when no other one has shown for 7 s that they do there. Then it waits
 *     twice as long each time before it yields again, at most a minute, so that bridges don't hand messages to and fro.
 * Y6  An instance that only a message can show to work gets one after 1 s, and then after twice as long each time, at most 30 s.
 *
 * Pure: no clock, no timer, no I/O. Times are monotonic milliseconds and come in.
 */
export interface Standing {
  readonly phase: 'taking' | 'yielding' | 'trying'
  /** When it came into the phase. */
  readonly since: number
  /** Since when calls don't get through; null: they do. */
  readonly stuckAt: number | null
  /** How long calls must not get through before it yields. */
  readonly patienceMs: number
  /** Messages that were taken in vain. */
  readonly failures: number
}

export interface Looked {
  readonly now: number
  readonly outlook: Outlook
  /** When another bridge showed last that what fails here works there; null: none has. */
  readonly shownAt: number | null
}

export const times = {
  askAfterMs: 2_000,
  askEveryMs: 2_000,
  patienceMs: 3_000,
  patienceMaxMs: 60_000,
  /** An answer is good for yielding so long: one that was asked for is on its way for 2 s at most. */
  freshMs: 4_500,
  silentMs: 7_000,
  tryMs: 1_000,
  tryMaxMs: 30_000,
} as const

export function beginning(now: number): Standing {
  return { phase: 'taking', since: now, stuckAt: null, patienceMs: times.patienceMs, failures: 0 }
}

/** What follows; the same object when nothing does. */
export function step(standing: Standing, looked: Looked): Standing {
  const { now, outlook } = looked
  if (outlook.kind === 'can') return standing.stuckAt === null ? standing : beginning(now)
  if (standing.stuckAt === null) return { ...standing, stuckAt: now }
  switch (standing.phase) {
    case 'taking':
      return isYielding(standing, standing.stuckAt, looked) ? { ...standing, phase: 'yielding', since: now } : standing
    case 'trying':
      if (outlook.kind === 'may') return standing
      return whileYielding({ ...standing, phase: 'yielding', since: now, failures: standing.failures + 1 }, looked)
    case 'yielding':
      return whileYielding(standing, looked)
    default:
      return standing.phase satisfies never
  }
}

function isYielding({ patienceMs }: Standing, stuckAt: number, { now, shownAt }: Looked): boolean {
  return now - stuckAt >= patienceMs && shownAt !== null && now - shownAt <= times.freshMs
}

function whileYielding(standing: Standing, { now, outlook, shownAt }: Looked): Standing {
  if (shownAt === null || now - shownAt > times.silentMs) {
    const patienceMs = Math.min(standing.patienceMs * 2, times.patienceMaxMs)
    return { ...standing, phase: 'taking', since: now, stuckAt: now, patienceMs }
  }
  const tryAfterMs = Math.min(times.tryMs * 2 ** standing.failures, times.tryMaxMs)
  if (outlook.kind === 'may' && now - standing.since >= tryAfterMs) return { ...standing, phase: 'trying', since: now }
  return standing
}

/** Whether it takes messages. */
export const isTaking = ({ phase }: Standing): boolean => phase !== 'yielding'

/** Whether the others are to be asked; see `askEveryMs`. */
export const isAsking = ({ stuckAt }: Standing, now: number): boolean =>
  stuckAt !== null && now - stuckAt >= times.askAfterMs
