/**
 * The arithmetic of permits. Pure; all times are milliseconds of the server's clock.
 *
 * A permit is the right to make one call at a given instant, up to `lateMs` later. Whoever reserves gets instants at which no tier of the
 * key is over:
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

/** What is kept of a key. */
export interface PermitState {
  /** When it was last changed: a clock that goes back is seen by it. */
  readonly at: number
  readonly tiers: Readonly<Record<string, TierState>>
  /** Where the line of turns ends. */
  readonly turn: number
}

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

export interface Permit {
  readonly at: number
  readonly cost: number
}

export const noPermits: PermitState = { at: 0, tiers: {}, turn: 0 }

/** A permit is void so long after its instant. */
export const lateMs = 50
const bucketsOf = { paced: 100, quota: 60 } as const
/** Turns come a little faster than permits: who is late must not leave a gap. */
const turnPace = 1.05

interface Reserving {
  readonly now: number
  /** The first instant that is wanted, of all of them. */
  readonly from: number
  /** Instants so long after `now` are not reserved. */
  readonly aheadMs: number
  readonly costs: readonly number[]
}

export interface Reserved {
  readonly state: PermitState
  /** As many of those asked for as are near enough, in this order. */
  readonly permits: readonly Permit[]
  /** The instant of the first one that wasn't; null when there are all. */
  readonly next: number | null
}

export function reserve(before: PermitState, tiers: readonly Tier[], reserving: Reserving): Reserved {
  const { now, aheadMs, costs } = reserving
  const permits: Permit[] = []
  const known = repaced(before, tiers, now)
  let state = settle(known, tiers, now)
  let from = reserving.from
  for (const cost of costs) {
    const at = instantOf(state, tiers, from, cost)
    if (at > now + aheadMs) return { state: permits.length > 0 ? state : known, permits, next: at }
    state = taken(state, tiers, at, cost)
    permits.push({ at, cost })
    from = at
  }
  return { state: permits.length > 0 ? state : known, permits, next: null }
}

/** When a call of this cost could be made next; changes nothing. */
export function nextInstant(state: PermitState, tiers: readonly Tier[], from: number, cost: number): number {
  return instantOf(repaced(state, tiers, from), tiers, from, cost)
}

/** A call has cost this much more than its permit said; paced tiers make up for it by going on later. */
export function spend(before: PermitState, tiers: readonly Tier[], at: number, cost: number): PermitState {
  return taken(before, tiers, at, cost)
}

/** A call has cost so much less: quotas have it back. Paced tiers don't, since the instants that follow are given away already. */
export function refund(before: PermitState, tiers: readonly Tier[], at: number, cost: number): PermitState {
  const back = tiers.flatMap((tier): [string, TierState][] => {
    const own = before.tiers[tier.id]
    return tier.kind === 'quota' && own?.counts ? [[tier.id, { counts: added(own.counts, tier, at, -cost) }]] : []
  })
  return back.length === 0 ? before : { ...before, tiers: { ...before.tiers, ...Object.fromEntries(back) } }
}

export interface Turns {
  readonly state: PermitState
  readonly instants: readonly number[]
}

/** The next places in the line of turns, behind those that wait for permits from `from` on. */
export function takeTurns(
  before: PermitState,
  tiers: readonly Tier[],
  from: number,
  count: number,
  waiting = 0,
): Turns {
  const everyMs = turnEveryMs(bindingIn(before, tiers, from))
  const first = Math.max(before.turn, from + waiting * everyMs)
  const instants = Array.from({ length: count }, (_, index) => first + index * everyMs)
  return { state: { ...before, turn: first + count * everyMs }, instants }
}

/** Nobody is in the line of turns whose permit isn't free: those who were are gone. */
export function closeTurns(state: PermitState, now: number): PermitState {
  return state.turn > now ? { ...state, turn: now } : state
}

/** The tiers that let nothing through at this instant, or all of them. */
function bindingIn(state: PermitState, tiers: readonly Tier[], from: number): readonly Tier[] {
  const now = Math.min(from, state.at)
  const binding = tiers.filter(
    (tier) => tier.kind === 'quota' && earliestOf(tier, state.tiers[tier.id] ?? {}, now, 1) > now,
  )
  return binding.length > 0 ? binding : tiers
}

/** Between two turns. */
export function turnEveryMs(tiers: readonly Tier[]): number {
  const [shortest] = [...tiers].sort((a, b) => a.periodMs - b.periodMs)
  return shortest === undefined ? 0 : shortest.periodMs / shortest.rate / turnPace
}

/** The server's clock was put back: what is known moves with it, or nothing would go until it was there again. */
function settle(state: PermitState, tiers: readonly Tier[], now: number): PermitState {
  const back = state.at - now
  if (back < clockBackMs) return { ...state, at: Math.max(state.at, now) }
  const moved = tiers.flatMap((tier): [string, TierState][] => {
    const { tat, counts, ...rest } = state.tiers[tier.id] ?? {}
    const first = (counts?.first ?? 0) - Math.floor(back / widthOf(tier))
    return [
      [
        tier.id,
        { ...rest, ...(tat !== undefined && { tat: tat - back }), ...(counts && { counts: { ...counts, first } }) },
      ],
    ]
  })
  return { at: now, tiers: Object.fromEntries(moved), turn: state.turn - back }
}

/** As its tiers are declared now: what was to come under another pace comes as much sooner or later. The same state when none was changed. */
function repaced(state: PermitState, tiers: readonly Tier[], now: number): PermitState {
  const changed = tiers.flatMap((tier): [string, TierState][] => {
    const { tat = 0, everyMs = tier.everyMs, ...rest } = state.tiers[tier.id] ?? {}
    if (everyMs === tier.everyMs || tat <= now) return []
    return [[tier.id, { ...rest, tat: now + ((tat - now) * tier.everyMs) / everyMs, everyMs: tier.everyMs }]]
  })
  return changed.length === 0 ? state : { ...state, tiers: { ...state.tiers, ...Object.fromEntries(changed) } }
}

/** Bridges know the server's clock to a few milliseconds. */
const clockBackMs = 5_000

function instantOf(state: PermitState, tiers: readonly Tier[], from: number, cost: number): number {
  let at = from
  for (let moved = true; moved;) {
    moved = false
    for (const tier of tiers) {
      const earliest = earliestOf(tier, state.tiers[tier.id] ?? {}, at, cost)
      if (earliest > at) [at, moved] = [earliest, true]
    }
  }
  return at
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

function taken(state: PermitState, tiers: readonly Tier[], at: number, cost: number): PermitState {
  const changed: Record<string, TierState> = {}
  for (const tier of tiers) {
    const { tat = 0, counts } = state.tiers[tier.id] ?? {}
    if (tier.kind === 'quota') {
      changed[tier.id] = { counts: added(counts, tier, at, cost) }
      continue
    }
    const next = Math.max(tat, at) + cost * tier.everyMs
    const isKept = isCounted(tier, recent(tier, counts, at), cost)
    changed[tier.id] = {
      tat: next,
      everyMs: tier.everyMs,
      ...(isKept && { counts: added(counts ?? seeded(tier, tat, at), tier, at, cost) }),
    }
  }
  return { ...state, tiers: { ...state.tiers, ...changed } }
}

const widthOf = (tier: Tier): number => tier.periodMs / bucketsOf[tier.kind]

/** The first bucket of which a call can be in the period that ends at `at`. */
const oldestOf = (tier: Tier, at: number): number => Math.floor((at - tier.periodMs - lateMs) / widthOf(tier))

/** The first instant from `from` on at which so much more fits into the period that ends there. What is over the whole rate waits for an empty period. */
function roomIn(tier: Tier, counts: Counts | undefined, from: number, cost: number): number {
  if (counts === undefined) return from
  const room = Math.max(0, tier.rate - cost)
  let at = from
  let index = Math.max(0, oldestOf(tier, at) - counts.first)
  let sum = 0
  for (let i = index; i < counts.costs.length; i++) sum += counts.costs[i] ?? 0
  for (; sum > room; index++) {
    sum -= counts.costs[index] ?? 0
    // Rounded up: exactly at its end the bucket must not count any more.
    at = Math.max(at, (counts.first + index + 1) * widthOf(tier) + tier.periodMs + lateMs)
  }
  return at
}

function added(counts: Counts | undefined, tier: Tier, at: number, cost: number): Counts {
  const bucket = Math.floor(at / widthOf(tier))
  const oldest = oldestOf(tier, at)
  const kept = counts === undefined ? [] : counts.costs.slice(Math.max(0, oldest - counts.first))
  const first = counts === undefined || kept.length === 0 ? bucket : Math.max(counts.first, oldest)
  const costs = [...kept]
  const place = bucket - first
  if (place < 0)
    return { first: bucket, costs: [Math.max(0, cost), ...Array.from({ length: -place - 1 }, () => 0), ...costs] }
  while (costs.length <= place) costs.push(0)
  costs[place] = Math.max(0, (costs[place] ?? 0) + cost)
  return { first, costs }
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
