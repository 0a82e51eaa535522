/** Numbers from 0 to 1 (exclusive), the same ones for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Makes one of these kinds, as often as its weight says. */
export function weighed<T>(kinds: readonly [Weighed<T>, ...Weighed<T>[]], random: () => number): T {
  let left = random() * kinds.reduce((sum, [weight]) => sum + weight, 0)
  const [, make] = kinds.find(([weight]) => (left -= weight) < 0) ?? kinds[0]
  return make()
}

type Weighed<T> = readonly [weight: number, make: () => T]
