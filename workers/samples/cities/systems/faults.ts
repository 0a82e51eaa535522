/** The ways in which the source system fails now and then. */
export const faultKinds = ['502', '429', 'hang'] as const
export type FaultKind = (typeof faultKinds)[number]

const onePageIn = 15
/** With it the first 5000 places, which are what a short look takes, meet each kind once. */
export const seedDefault = 645

/**
 * Whether a request fails, and how: the same for the same seed, page and how often the page was asked for before. About one
 * page in 15 fails, never the first; and since only every other request for it does, a call that is made again succeeds.
 */
export function faultOf(seed: number, page: number, askedBefore: number): FaultKind | null {
  if (page === 0 || askedBefore % 2 === 1) return null
  if (mix(seed, page) % onePageIn !== 0) return null
  return faultKinds[mix(seed + askedBefore + 1, page) % faultKinds.length] ?? null
}

/** 32 well-mixed bits of two numbers (the finaliser of MurmurHash3). */
function mix(a: number, b: number): number {
  let bits = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca77)
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}
