/**
 * The arithmetic of one tier of a limit. Pure; all times are milliseconds of the server's clock.
 *
 * - `paced`: at least `everyMs` apart, but for `burst` of them at once: the generic cell rate algorithm (GCRA) of ITU-T I.371, with
 *   the theoretical arrival time `tat`. With a burst of 1 there are never more than `rate` calls in any period, each up to `lateMs` late:
 *   n of them take (n − 1) · everyMs at least, and everyMs · rate ≥ periodMs + lateMs. Calls that cost more than one are counted besides,
 *   as those of a quota.
 * - `quota`: as fast as they come until `rate` of them are in one period. They are counted in buckets, and a bucket counts as long as any
 *   of its calls can be in the period.
 */
export interface Tier {
  /** Names the tier in the state of its key, whatever its figures are. */
  readonly id: string
  readonly kind: 'paced' | 'quota'
  /** Cost in one period. */
  readonly rate: number
  readonly periodMs: number
  /** Of `paced`: between two calls of cost 1. */
  readonly everyMs: number
  /** Of `paced`. */
  readonly burst: number
}

/** What is kept of each tier of a key, by its id. */
export type TierStates = Readonly<Record<string, TierState>>

export interface TierState {
  readonly tat?: number
  /** With which `tat` was reckoned: of a limit that was changed since, it means another time. */
  readonly everyMs?: number
  readonly counts?: Counts
}

/** Costs by bucket, from the bucket `first` on. */
interface Counts {
  readonly first: number
  readonly costs: readonly number[]
}

/** So much is counted at `at`; nobody asks for instants before `since` any more. */
interface Adding {
  readonly at: number
  readonly cost: number
  readonly since: number
}

/** A permit is void so long after its instant. */
export const lateMs = 50
/** Nothing is reserved further ahead. */
export const aheadMs = 2_000
/** Clocks of bridges differ by less. */
const skewMs = 100
const bucketsOf = { paced: 100, quota: 60 } as const

/** Between two calls of cost 1, where nothing but the shortest of these tiers binds. */
export function turnEveryMs(tiers: readonly Tier[]): number {
  const [shortest] = [...tiers].sort((a, b) => a.periodMs - b.periodMs)
  return shortest === undefined ? 0 : shortest.periodMs / shortest.rate
}

/** The first instant from `from` on at which no tier is over with so much more. */
export function instantOf(states: TierStates, tiers: readonly Tier[], from: number, cost: number): number {
  let at = from
  for (let moved = true; moved;) {
    moved = false
    for (const tier of tiers) {
      const earliest = earliestOf(tier, states[tier.id] ?? {}, at, cost)
      if (earliest > at) [at, moved] = [earliest, true]
    }
  }
  return at
}

/** So much more is counted at `at`. Nobody will ask for instants before `since`: what says nothing of later ones is left away. */
export function taken(states: TierStates, tiers: readonly Tier[], adding: Adding): TierStates {
  const { at, cost, since } = adding
  const changed: Record<string, TierState> = {}
  for (const tier of tiers) {
    const { tat = 0, counts } = states[tier.id] ?? {}
    const isOver = at < since - tier.periodMs - lateMs
    if (tier.kind === 'quota') {
      changed[tier.id] = isOver ? (states[tier.id] ?? {}) : { counts: added(counts, tier, adding) }
      continue
    }
    const next = Math.max(tat, at) + cost * tier.everyMs
    const isKept = !isOver && isCounted(tier, recent(tier, counts, since), cost)
    changed[tier.id] = {
      tat: next,
      everyMs: tier.everyMs,
      ...(isKept && { counts: added(counts ?? seeded(tier, tat, since), tier, adding) }),
    }
  }
  return { ...states, ...changed }
}

/**
 * As `taken`, for a call that comes at `at` or later. What is free by then counts as free: of quotas it is counted in the next bucket, since in
 * the one that `at` is in more was there before.
 */
export function keptFor(states: TierStates, tiers: readonly Tier[], { at, ...adding }: Adding): TierStates {
  const later = (tier: Tier): number => (tier.kind === 'quota' ? at + widthOf(tier) : at)
  return tiers.reduce((sum, tier) => taken(sum, [tier], { ...adding, at: later(tier) }), states)
}

/** Quotas have back so much of what was counted at `at`; the same states when there is none. */
export function returned(states: TierStates, tiers: readonly Tier[], { at, cost, since }: Adding): TierStates {
  const back = tiers.flatMap((tier): [string, TierState][] => {
    const own = states[tier.id]
    const isOver = at < since - tier.periodMs - lateMs
    if (tier.kind !== 'quota' || own?.counts === undefined || isOver) return []
    return [[tier.id, { counts: added(own.counts, tier, { at, cost: -cost, since }) }]]
  })
  return back.length === 0 ? states : { ...states, ...Object.fromEntries(back) }
}

/**
 * As its tiers are declared now: what was to come under another pace comes as much sooner or later, and what a quota counted is known to an even
 * pace, and the other way round. The same states when none was changed.
 */
export function redeclared(states: TierStates, tiers: readonly Tier[], now: number): TierStates {
  const changed = tiers.flatMap((tier): [string, TierState][] => {
    const state = states[tier.id]
    const changed = state === undefined ? null : redeclaredOne(state, tier, now)
    return changed === null ? [] : [[tier.id, changed]]
  })
  return changed.length === 0 ? states : { ...states, ...Object.fromEntries(changed) }
}

/** Null: it is as it was. */
function redeclaredOne(state: TierState, tier: Tier, now: number): TierState | null {
  const { tat = 0, everyMs, counts } = state
  const wasPaced = everyMs !== undefined
  if (tier.kind === 'quota') {
    if (!wasPaced) return null
    const paced = { ...tier, kind: 'paced' as const, everyMs }
    const known = counts ?? seeded(paced, tat, now)
    return known === undefined ? {} : { counts: rebucketed(known, paced, tier) }
  }
  if (!wasPaced && counts !== undefined)
    return { everyMs: tier.everyMs, counts: rebucketed(counts, { ...tier, kind: 'quota' }, tier) }
  if (!wasPaced || everyMs === tier.everyMs || tat <= now) return null
  const scaled = now + ((tat - now) * tier.everyMs) / everyMs
  // Of an even pace the last one may be reserved already.
  const last = tier.burst === 1 ? Math.min(tat - everyMs, now + aheadMs) + tier.everyMs : 0
  return { ...state, tat: Math.max(scaled, last), everyMs: tier.everyMs }
}

/** Each cost as late as it can have been. */
function rebucketed({ first, costs }: Counts, from: Tier, to: Tier): Counts {
  const places = costs.map((_, index) => Math.floor(((first + index + 1) * widthOf(from) - 1) / widthOf(to)))
  const start = places[0] ?? 0
  const sums = Array.from({ length: (places.at(-1) ?? start) - start + 1 }, () => 0)
  for (const [index, place] of places.entries()) sums[place - start] = (sums[place - start] ?? 0) + (costs[index] ?? 0)
  return { first: start, costs: sums }
}

/** The server's clock was put back by so much: what is known moves with it. */
export function putBack(states: TierStates, tiers: readonly Tier[], back: number): TierStates {
  const moved = tiers.map((tier): [string, TierState] => {
    const { tat, counts, everyMs } = states[tier.id] ?? {}
    const width = widthOf({ ...tier, kind: everyMs === undefined ? 'quota' : 'paced' })
    return [
      tier.id,
      {
        ...(everyMs !== undefined && { everyMs }),
        ...(tat !== undefined && { tat: tat - back }),
        ...(counts && { counts: { ...counts, first: counts.first - Math.floor(back / width) } }),
      },
    ]
  })
  return Object.fromEntries(moved)
}

function earliestOf(tier: Tier, { tat = 0, counts }: TierState, from: number, cost: number): number {
  if (tier.kind === 'quota') return roomIn(tier, counts, from, cost)
  const paced = Math.max(from, tat - (Math.max(tier.burst, cost) - cost) * tier.everyMs)
  return isCounted(tier, counts, cost) ? roomIn(tier, counts ?? seeded(tier, tat, from), paced, cost) : paced
}

/** Calls that cost more than one break the evenness that a burst of 1 relies on. */
function isCounted(tier: Tier, counts: Counts | undefined, cost: number): boolean {
  return tier.burst === 1 && (cost > 1 || counts !== undefined)
}

const widthOf = (tier: Tier): number => tier.periodMs / bucketsOf[tier.kind]

/** The first bucket of which a call can be in the period that ends at `at`. */
const oldestOf = (tier: Tier, at: number): number => Math.floor((at - tier.periodMs - lateMs) / widthOf(tier))

/**
 * The first instant from `from` on at which so much more fits into the period that ends there, and into those that end with what is counted
 * for later. What is over the whole rate waits for an empty period.
 */
function roomIn(tier: Tier, counts: Counts | undefined, from: number, cost: number): number {
  if (counts === undefined) return from
  const room = Math.max(0, tier.rate - cost)
  let at = from
  for (;;) {
    const free = freeIn(tier, counts, at, room)
    const full = free > at ? null : fullAfter(tier, counts, at, room)
    if (free === at && full === null) return at
    at = full ?? free
  }
}

/** When no more than `room` is left of what the period that ends at `at` holds. */
function freeIn(tier: Tier, counts: Counts, at: number, room: number): number {
  let index = Math.max(0, oldestOf(tier, at) - counts.first)
  let sum = sumOf(counts, index, Math.floor(at / widthOf(tier)) - counts.first)
  let free = at
  for (; sum > room; index++) {
    sum -= counts.costs[index] ?? 0
    // Rounded up: exactly at its end the bucket must not count any more.
    free = Math.max(free, (counts.first + index + 1) * widthOf(tier) + tier.periodMs + lateMs)
  }
  return free
}

/** The beginning of the first later bucket whose period has `at` in it, and more than `room`; null: there is none. */
function fullAfter(tier: Tier, counts: Counts, at: number, room: number): number | null {
  const bucket = Math.floor(at / widthOf(tier))
  for (let index = Math.max(0, bucket + 1 - counts.first); index < counts.costs.length; index++) {
    const begins = (counts.first + index) * widthOf(tier)
    const oldest = oldestOf(tier, begins)
    if (oldest > bucket) return null
    if ((counts.costs[index] ?? 0) > 0 && sumOf(counts, oldest - counts.first, index) > room) return begins
  }
  return null
}

/** Both ends count. */
function sumOf({ costs }: Counts, first: number, last: number): number {
  let sum = 0
  for (let index = Math.max(0, first); index <= Math.min(last, costs.length - 1); index++) sum += costs[index] ?? 0
  return sum
}

function added(counts: Counts | undefined, tier: Tier, { at, cost, since }: Adding): Counts {
  const bucket = Math.floor(at / widthOf(tier))
  const oldest = oldestOf(tier, Math.min(at, since) - skewMs)
  const kept = counts === undefined ? [] : counts.costs.slice(Math.max(0, oldest - counts.first))
  const first = counts === undefined || kept.length === 0 ? bucket : Math.max(counts.first, oldest)
  const before = Array.from({ length: Math.max(0, first - bucket) }, () => 0)
  const costs = [...before, ...kept]
  const place = Math.max(0, bucket - first)
  while (costs.length <= place) costs.push(0)
  costs[place] = Math.max(0, (costs[place] ?? 0) + cost)
  return { first: Math.min(first, bucket), costs }
}

/** Those of the last period are as many as could be: one every `everyMs`, the last of them when `tat` says. */
function seeded(tier: Tier, tat: number, at: number): Counts | undefined {
  const last = Math.floor((tat - tier.everyMs) / widthOf(tier))
  const first = Math.max(oldestOf(tier, at), last - bucketsOf.paced - 1)
  if (last < first) return undefined
  let left = tier.rate
  const costs: number[] = []
  for (let bucket = last; bucket >= first; bucket--) {
    const most = Math.min(left, Math.ceil(widthOf(tier) / tier.everyMs))
    costs.unshift(most)
    left -= most
  }
  return { first, costs }
}

/** Undefined when nothing of it is in the period any more. */
function recent(tier: Tier, counts: Counts | undefined, at: number): Counts | undefined {
  const end = counts === undefined ? 0 : counts.first + counts.costs.length
  return end > oldestOf(tier, at) ? counts : undefined
}
