/** What a round of the janitor found, for later rounds. */
export interface Found {
  /** The stream's last sequence, read before everything else. */
  readonly last: number
  /** Up to there all readers are done. */
  readonly floor: number
  /** By node id: everything that it or a node before it handles is settled and recorded up to there. */
  readonly bounds: ReadonlyMap<string, number>
}

/** What the last rounds found: how old something is is measured by the monotonic clock, never by what a server says of the time. */
export interface History {
  add(found: Found): void
  /** What was found by the newest round that is at least so old; null while there is none. */
  before(ageMs: number): Found | null
  /**
   * What was found by the newest round of which all is recorded: what it found settled, and what came of that. `unrecorded` is the
   * first stored outcome that isn't recorded, looked for after this round's floors; Infinity: there is none.
   */
  recorded(unrecorded: number): Found | null
}

/** For a recorder that is a few rounds behind, however short the window. */
const leastRounds = 16

/** @param reachMs nobody asks for anything older */
export function openHistory(reachMs: number): History {
  const rounds: (Found & { readonly at: number })[] = []
  return {
    add(found) {
      const now = performance.now()
      rounds.push({ ...found, at: now })
      const old = Math.min(
        rounds.findLastIndex(({ at }) => now - at >= reachMs),
        rounds.length - leastRounds,
      )
      if (old > 0) rounds.splice(0, old)
    },
    before(ageMs) {
      const now = performance.now()
      return rounds.findLast(({ at }) => now - at >= ageMs) ?? null
    },
    recorded(unrecorded) {
      if (unrecorded === Infinity) return rounds.at(-1) ?? null
      // What came of a round's settled messages was stored before the next round looked for the last sequence.
      return rounds[rounds.findLastIndex(({ last }) => last < unrecorded) - 1] ?? null
    },
  }
}
