import type { Why } from '../../../../../runtime/client/openapi.d.ts'

/** What a node's own figures say of its prefetch. */
export interface Signal {
  readonly advice: 'raise' | 'lower' | 'keep'
  readonly text: string
}

/** So many rounds of its prefetch, and a queue is long. */
const longRounds = 10
/** Fewer calls say nothing of a share of them. */
const callsLeast = 20
/** From this share on, it is asked for more at once than can be done. */
const overloadedShare = 0.2

/**
 * The two signals of the sizing guidance, as far as the engine can see them. It knows queues and what became of calls, but nothing of a
 * worker's CPU and memory: of a worker that has too much at once it sees calls that take too long or are put off.
 */
export function signalOf(why: Why, prefetch: number): Signal | null {
  const count = (...kinds: string[]): number =>
    why.blockers.reduce((sum, blocker) => sum + (kinds.includes(blocker.kind) ? blocker.count : 0), 0)
  const away = count('refused', 'no-instance', 'breaker')
  // Of a worker that is off, or that isn't called for now, its calls before say nothing: neither did they fail of too many at once.
  if (away > 0) return away * 2 >= why.inFlight ? signals.away(away) : null
  if (isOverloaded(why)) return prefetch > 1 ? signals.overloaded(why) : signals.overloadedByOne(why)
  const [limited, behind] = [count('limit'), count('prefetch')]
  if (limited > 0 && limited >= behind / longRounds) return signals.limited
  return behind >= longRounds * prefetch && why.inFlight >= prefetch ? signals.behind(behind, prefetch) : null
}

function isOverloaded({ calls }: Why): boolean {
  return calls !== null && calls.made >= callsLeast && calls.overloaded >= overloadedShare * calls.made
}

const callsText = ({ calls }: Why): string =>
  `${calls?.overloaded ?? 0} of its ${calls?.made ?? 0} calls of the last minute got no answer in time, 429 or 503`

const signals = {
  away: (count: number): Signal => ({
    advice: 'keep',
    text: `${count} of its messages wait since its worker can’t be called: another prefetch doesn’t mend that.`,
  }),
  overloaded: (why: Why): Signal => ({
    advice: 'lower',
    text: `${callsText(why)}: more is asked for at once than can be done. If the worker’s memory climbs with prefetch, that is one more sign.`,
  }),
  overloadedByOne: (why: Why): Signal => ({
    advice: 'keep',
    text: `${callsText(why)}, though only one is made at a time: there is nothing to lower.`,
  }),
  limited: {
    advice: 'keep',
    text: 'Its calls wait for the limit of their service: that paces them, whatever the prefetch is.',
  } satisfies Signal,
  behind: (behind: number, prefetch: number): Signal => ({
    advice: 'raise',
    text: `Its queue is long: ${behind} messages wait for a place, and ${prefetch === 1 ? 'the only one is' : `all ${prefetch} are`} taken. If the CPU of the worker isn’t pegged, raise it.`,
  }),
}
