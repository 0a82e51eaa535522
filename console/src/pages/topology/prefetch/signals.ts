import type { Why } from '../../../../../runtime/client/openapi.d.ts'
import { counted } from '../../../parts/show/format.ts'
import type { Series } from '../panel/series.ts'

/** What a node's own figures say of its prefetch. */
export interface Signal {
  readonly advice: 'raise' | 'lower' | 'keep'
  readonly text: string
}

/** So many rounds of its prefetch, and a queue is long. */
const longRounds = 10
/** It has to be long most of that time, of which control looks every ten seconds. */
const longSeconds = 5 * 60
const longLooks = longSeconds / 10 / 2 + 1
/** Fewer calls say nothing of a share of them. */
const callsLeast = 20
/** From this share on, it is asked for more at once than can be done. */
const overloadedShare = 0.2

/**
 * The two signals of the sizing guidance, as far as the engine can see them. It knows queues and what became of calls, but nothing of a
 * worker's CPU and memory: of a worker that has too much at once it sees calls that take too long or are put off. `seen`: the last quarter of
 * an hour; undefined while it isn't known, and then no queue is long.
 */
export function signalOf(why: Why, prefetch: number, seen: Series | undefined): Signal | null {
  const count = (...kinds: string[]): number =>
    why.blockers.reduce((sum, blocker) => sum + (kinds.includes(blocker.kind) ? blocker.count : 0), 0)
  const away = count('refused', 'no-instance', 'breaker')
  // Of a worker that is off, or that isn't called for now, its calls before say nothing: neither did they fail of too many at once.
  if (away > 0) return away * 2 >= why.inFlight ? signals.away(away) : null
  const limited = count('limit')
  // Also when calls are too much: calls that a limit paces, be it declared or asked for with 429, are as many with any prefetch.
  if (limited > 0 && limited * 2 >= why.inFlight)
    return isOverloaded(why) ? signals.limitedTooHigh(why) : signals.limited
  if (isOverloaded(why)) return prefetch > 1 ? signals.overloaded(why) : signals.overloadedByOne(why)
  const behind = count('prefetch')
  const isLong = behind >= longRounds * prefetch && why.inFlight >= prefetch && wasLong(seen, prefetch)
  return isLong ? signals.behind(behind, prefetch) : null
}

function isOverloaded({ calls }: Why): boolean {
  return calls !== null && calls.made >= callsLeast && calls.overloaded >= overloadedShare * calls.made
}

function wasLong(seen: Series | undefined, prefetch: number): boolean {
  if (seen === undefined) return false
  const { times, columns, span } = seen
  const looks = columns.waiting.filter((_, index) => (times[index] ?? 0) >= span[1] - longSeconds)
  return looks.filter((waiting) => waiting !== null && waiting >= longRounds * prefetch).length >= longLooks
}

const callsText = ({ calls }: Why): string =>
  `${calls?.overloaded ?? 0} of its ${calls?.made ?? 0} calls of the last minute got no answer in time, 429 or 503`

const signals = {
  away: (count: number): Signal => ({
    advice: 'keep',
    text: `${counted(count, 'message waits', 'messages wait')} since its worker can’t be called: another prefetch doesn’t mend that.`,
  }),
  overloaded: (why: Why): Signal => ({
    advice: 'lower',
    text: `${callsText(why)}: more is asked for at once than can be done. If they were 429, declare a limit of the service instead: behind it prefetch may stay high. If the worker’s memory climbs with prefetch, that is one more sign.`,
  }),
  overloadedByOne: (why: Why): Signal => ({
    advice: 'keep',
    text: `${callsText(why)}, though only one is made at a time: there is nothing to lower. If they were 429, declare a limit of the service.`,
  }),
  limited: {
    advice: 'keep',
    text: 'Its calls wait for the limit of their service: that paces them, whatever the prefetch is.',
  } satisfies Signal,
  limitedTooHigh: (why: Why): Signal => ({
    advice: 'keep',
    text: `Its calls wait for the limit of their service, which paces them, and still ${callsText(why)}. If they were 429, declare a limit of the service, or a lower one, and prefetch may stay high; if they got no answer in time or 503, lower prefetch.`,
  }),
  behind: (behind: number, prefetch: number): Signal => ({
    advice: 'raise',
    text: `Its queue has been long for most of the last five minutes: ${counted(behind, 'message waits', 'messages wait')} for a place, and ${prefetch === 1 ? 'the only one is' : `all ${prefetch} are`} taken. If the CPU of the worker isn’t pegged, raise it.`,
  }),
}
