/** Those who wait for one key of their own: for permits, or for calls in flight to end. */
export interface Crowded {
  /** Those of a node that stay. */
  waitingIn(nodeId: string): number
  /** Calls of a node that count, and are open. */
  openIn(nodeId: string): number
  /** Are there any of a node that were never put off? */
  hasNew(nodeId: string): boolean
  /** Will all that wait have gone on soon? */
  readonly isNear: boolean
  putOffNewest(nodeId: string): void
}

interface Entering {
  /** It was put off before. */
  readonly wasAway: boolean
  /** Not many wait behind it. */
  readonly mayStay: boolean
}

/**
 * Places of a node that are taken by messages that wait for a key of their own: never all of them, or one tenant without permits would
 * keep all others from being called. When there are too many, those come off worst of which most wait: the newest of them is put off.
 */
export class Crowd {
  readonly #keys = new Map<string, Set<Crowded>>()

  /** One more wants to wait, where `max` may. True: it is the one to be put off. */
  enter(nodeId: string, key: Crowded, max: number, { wasAway, mayStay }: Entering): boolean {
    const keys = this.#keys.get(nodeId) ?? new Set()
    this.#keys.set(nodeId, keys)
    keys.add(key)
    let [total, longest] = [0, key]
    for (const one of keys) {
      const waiting = one.waitingIn(nodeId)
      const places = waiting + one.openIn(nodeId)
      if (places === 0 && one !== key) keys.delete(one)
      total += places
      if (waiting > longest.waitingIn(nodeId) + 1) longest = one
    }
    if (total < max) return false
    // Who was put off before shall not be put off again for one that is new.
    const isMine = longest === key && !(wasAway && key.hasNew(nodeId))
    if (isMine || (mayStay && longest.isNear && !longest.hasNew(nodeId))) return !(wasAway && mayStay && key.isNear)
    longest.putOffNewest(nodeId)
    return false
  }

  /** Nodes and keys of which nothing waits, and no call is open: they may never come again. */
  forgetIdle(): void {
    for (const [nodeId, keys] of this.#keys) {
      for (const one of keys) if (one.waitingIn(nodeId) + one.openIn(nodeId) === 0) keys.delete(one)
      if (keys.size === 0) this.#keys.delete(nodeId)
    }
  }
}
