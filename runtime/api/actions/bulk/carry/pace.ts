/** How many messages may be sent now by a rate, and how many are. */
export interface Pace {
  /** At most so many now. */
  allowed(wanted: number): number
  sent(count: number): void
  /** Per second, over the last seconds. */
  readonly rate: number
}

const seenMs = 5_000
/** What wasn't sent in time may be made up for as long as this. */
const burstSeconds = 0.25

/** @param ratePerSecond null: as many as are wanted */
export function openPace(ratePerSecond: number | null, now: () => number = () => performance.now()): Pace {
  const begun = now()
  const batches: { readonly at: number; readonly count: number }[] = []
  const most = Math.max(1, (ratePerSecond ?? 0) * burstSeconds)
  let tokens = 1
  let filledAt = begun
  return {
    allowed(wanted) {
      if (ratePerSecond === null) return wanted
      tokens = Math.min(most, tokens + ((now() - filledAt) / 1_000) * ratePerSecond)
      filledAt = now()
      return Math.min(wanted, Math.floor(tokens))
    },
    sent(count) {
      tokens -= count
      batches.push({ at: now(), count })
    },
    get rate() {
      const since = Math.max(begun, now() - seenMs)
      while (batches[0] !== undefined && batches[0].at < since) batches.shift()
      const sum = batches.reduce((all, { count }) => all + count, 0)
      return sum === 0 ? 0 : sum / (Math.max(1_000, now() - since) / 1_000)
    },
  }
}
