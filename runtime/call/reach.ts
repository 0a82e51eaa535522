/**
 * What shows that calls get through to an instance, from the least to the most: it answered something, it says that it is healthy,
 * it answered a call.
 */
export const reaches = ['answers', 'healthy', 'called'] as const
export type Reach = (typeof reaches)[number]

/**
 * Whether a worker, or an instance, can be called. `may`: one message would show it. `lacks` is the least that somebody else has to
 * show to be better off: what fails here works there.
 */
export type Outlook =
  { readonly kind: 'can' } | { readonly kind: 'may' | 'cannot'; readonly lacks: Reach; readonly reason: string }

export const can: Outlook = { kind: 'can' }

export function isAtLeast(reach: Reach, least: Reach): boolean {
  return reaches.indexOf(reach) >= reaches.indexOf(least)
}

type Stuck = Exclude<Outlook, { kind: 'can' }>

/** Of a worker with these instances: as good as the best of them; of several that can't be called, the one that lacks least. */
export function outlookOf(instances: readonly Outlook[]): Outlook {
  let best: Stuck | null = null
  for (const one of instances) {
    if (one.kind === 'can') return can
    if (best === null || isBetter(one, best)) best = one
  }
  return best ?? { kind: 'cannot', lacks: 'answers', reason: 'no address of it can be resolved' }
}

function isBetter(one: Stuck, other: Stuck): boolean {
  if (one.kind !== other.kind) return one.kind === 'may'
  return one.lacks !== other.lacks && isAtLeast(other.lacks, one.lacks)
}
