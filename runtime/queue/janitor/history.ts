/** What a round of the janitor found, for later rounds. */
export interface Found {
  /** The stream's last sequence. */
  readonly last: number
  /** By node id: everything that it or a node before it handles is settled and recorded up to there. */
  readonly bounds: ReadonlyMap<string, number>
}

/** What the last rounds found: how old something is is measured by the monotonic clock, never by what a server says of the time. */
export interface History {
  add(found: Found): void
  /** What was found by the newest round that is at least so old; null while there is none. */
  before(ageMs: number): Found | null
}

/** @param reachMs nobody asks for anything older */
export function openHistory(reachMs: number): History {
  const rounds: (Found & { readonly at: number })[] = []
  return {
    add(found) {
      const now = performance.now()
      rounds.push({ ...found, at: now })
      const old = rounds.findLastIndex(({ at }) => now - at >= reachMs)
      if (old > 0) rounds.splice(0, old)
    },
    before(ageMs) {
      const now = performance.now()
      return rounds.findLast(({ at }) => now - at >= ageMs) ?? null
    },
  }
}
