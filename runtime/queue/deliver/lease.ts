import type { Connection } from '../connection.ts'

/** A message that isn't beaten for this long is delivered again by the server. */
export const ackWaitMs = 5_000
export const beatEveryMs = 1_500
/** A stall of the event loop longer than this voids every lease: beats may have been late. */
const stallMs = 1_000
/** A lease counts from delivery or the last confirmed beat; the rest of the ack wait pays for the way there and a stall. */
const leaseMs = ackWaitMs - stallMs
/**
 * However well it is beaten, a lease ends after this: a beat is confirmed also for a message that somebody else has acked, and a
 * delivery that was long on its way can't be told from a fresh one. Half of the shortest history window: what somebody else
 * settled meanwhile is still there, and refuses whoever settles without asking.
 */
const trustedMs = 5 * 60_000
const tickEveryMs = 200

/**
 * The clock of all leases of a process. A lease is the right to settle a hop without asking first. Its `era` ends, and with it
 * every lease taken in it, at any disconnect or reconnect and after a stall: from then on the server may have delivered the
 * message to somebody else, who may have settled it long ago. Void stays void.
 */
export interface LeaseClock {
  /**
   * For a message that was delivered just now. `inDoubt`: somebody else may hold it still, and settle it after asking; such a lease
   * is void from the beginning.
   */
  take(inDoubt: boolean): Lease
  close(): void
}

export interface Lease {
  /** True while nobody else can have settled the message, or not so long ago that its successor could be gone. */
  valid(): boolean
  /** A beat sent at `sentAt` (performance.now()) was confirmed by the server. */
  confirm(sentAt: number): void
}

export function openLeaseClock(connection: Connection): LeaseClock {
  let era = 0
  let lastTick = performance.now()
  const check = (now: number): void => {
    if (now - lastTick > stallMs) era++
    lastTick = now
  }
  const timer = setInterval(() => check(performance.now()), tickEveryMs).unref()
  const stopListening = connection.onChange(() => era++)

  return {
    take(inDoubt) {
      const taken = era
      const start = performance.now()
      let until = inDoubt ? -Infinity : start + leaseMs
      const valid = (): boolean => {
        const now = performance.now()
        check(now)
        if (now >= Math.min(until, start + trustedMs)) until = -Infinity
        return era === taken && until > 0
      }
      return {
        valid,
        confirm(sentAt) {
          if (valid()) until = Math.max(until, sentAt + leaseMs)
        },
      }
    },
    close() {
      clearInterval(timer)
      stopListening()
    },
  }
}
