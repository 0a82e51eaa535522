/**
 * Whose the calls in flight of one key are. Pure; all times are milliseconds of the server's clock.
 *
 * Bridges that want some stand in a row: those first that have waited longest. Each may have a fair share, and what is left over goes to the first
 * of the row. Who has had such a one for its time, while others wait for it, stands last from then on.
 */
export interface FlightState {
  readonly holders: Readonly<Record<string, Holder>>
  /** Where the line of turns ends. */
  readonly turn?: number
}

interface Holder {
  readonly have: number
  readonly want: number
  /** The end of its lease. */
  readonly until: number
  /** Since when it stands in the row. */
  readonly since?: number
}

export const noFlights: FlightState = { holders: {} }

export const leaseMs = 10_000
/** A lease is written anew when so much of it is over. */
const agedMs = 2_000
/** So long a bridge has what others wait for, too, when it has calls to make. */
export const turnMs = 200

/** What the bridge that claims knows by itself. */
export interface Claimant {
  readonly bridgeId: string
  /** Of all bridges together. */
  readonly max: number
  readonly now: number
  /** Calls that are open here. */
  readonly open: number
  /** Those that wait here for a place. */
  readonly waiting: number
  /** One place is kept for the next call, unless others wait for it. */
  readonly isKept: boolean
  /** So many were used a moment ago: of its fair share they are kept for the next calls in any case. */
  readonly justHad: number
  /** It has had what others wait for for its time. */
  readonly isTurnOver: boolean
  /** Those who may have what is free don't take it. */
  readonly isLeft: boolean
  /** Leases that are over count all the same. */
  readonly areBelieved: boolean
}

/** What it holds from now on, and what others are to know of it. */
export interface Claim {
  /** The same one when there is nothing to write. */
  readonly state: FlightState
  readonly have: number
  readonly want: number
  readonly share: number
  /** Places that no other bridge has. */
  readonly free: number
  /** Other bridges want more than they have. */
  readonly areOthersShort: boolean
  /** Others go by what is changed. */
  readonly isNews: boolean
}

export function claim(before: FlightState, claimant: Claimant): Claim {
  const { bridgeId, max, now, open } = claimant
  const own = before.holders[bridgeId]
  const isLiving = ([id, { until }]: [string, Holder]): boolean =>
    id !== bridgeId && (until > now || claimant.areBelieved)
  const living = Object.entries(before.holders).filter(isLiving)
  const areOthersShort = living.some(([, other]) => other.want > other.have)
  const fair = Math.floor(max / (living.filter(([, other]) => other.want > 0).length + 1))
  const kept = areOthersShort ? Math.min(claimant.justHad, fair) : Number(claimant.isKept)
  const want = Math.min(Math.max(open + claimant.waiting, kept), max)
  const free = Math.max(0, max - living.reduce((sum, [, { have }]) => sum + have, 0))
  const { share, since } = placeOf({ ...claimant, want }, own, living)
  const have = Math.max(Math.min(claimant.isLeft ? want : share, free), open)
  const known = { want, share, have, free, areOthersShort }
  const isGone = want === 0 && have === 0
  const isNews = isGone ? own !== undefined : isNew({ have, want, since }, own, now)
  if (!isNews && (isGone || ageOf(own, now) < agedMs)) return { ...known, state: before, isNews }
  const others = Object.fromEntries(living)
  const holders = isGone ? others : { ...others, [bridgeId]: { have, want, until: now + leaseMs, since } }
  const { turn = 0 } = before
  return { ...known, state: { holders, ...(turn > now && { turn }) }, isNews }
}

/** How many more it wants matters less to others than that it does: it is told now and then. */
function isNew({ have, want, since }: Omit<Holder, 'until'>, own: Holder | undefined, now: number): boolean {
  if (own?.have !== have || own.since !== since || own.want > own.have !== want > have) return true
  return own.want !== want && ageOf(own, now) >= turnMs
}

const ageOf = (own: Holder | undefined, now: number): number => now - ((own?.until ?? 0) - leaseMs)

/** Without what the bridge holds. */
export function left(before: FlightState, bridgeId: string): FlightState {
  if (before.holders[bridgeId] === undefined) return before
  const { [bridgeId]: _, ...others } = before.holders
  return { ...before, holders: others }
}

interface Wanting extends Pick<Claimant, 'bridgeId' | 'max' | 'now' | 'isTurnOver'> {
  readonly want: number
}

/** Its place in the row, and its share from there. Who comes stands last; and who goes to the end only does so if others have more by it. */
function placeOf(
  { bridgeId, max, now, want, isTurnOver }: Wanting,
  own: Holder | undefined,
  living: readonly [string, Holder][],
): { readonly share: number; readonly since: number } {
  const others = living.map(([id, holder]) => ({ id, want: holder.want, since: holder.since ?? 0 }))
  const shareFrom = (since: number): number => shareOf(bridgeId, [...others, { id: bridgeId, want, since }], max)
  const since = own?.since ?? now
  const share = shareFrom(since)
  const last = isTurnOver ? shareFrom(now) : share
  return last < share ? { share: last, since: now } : { share, since }
}

interface Standing {
  readonly id: string
  readonly want: number
  readonly since: number
}

/** A fair share: nobody has more while another who wants some has less; what is left over is for the first of the row. */
function shareOf(id: string, all: readonly Standing[], max: number): number {
  const row = [...all].sort((a, b) => a.since - b.since || (a.id < b.id ? -1 : 1))
  const shares = new Map(row.map((one) => [one.id, 0]))
  for (let rest = max, moved = true; rest > 0 && moved;) {
    moved = false
    for (const one of row) {
      const has = shares.get(one.id) ?? 0
      if (rest === 0 || has >= one.want) continue
      shares.set(one.id, has + 1)
      rest--
      moved = true
    }
  }
  return shares.get(id) ?? 0
}
