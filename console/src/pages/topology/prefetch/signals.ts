import type { Why } from '../../../api/engine.ts'

/** What a node's own figures say of its prefetch. */
export interface Signal {
  readonly advice: 'raise' | 'lower' | 'keep'
  readonly text: string
}

/** So many rounds of its prefetch, and a queue is long. */
const longRounds = 10

/**
 * The two signals of the sizing guidance, as far as the engine can see them: it knows queues and replies of workers, but nothing of a
 * worker's CPU and memory.
 */
export function signalOf(why: Why, prefetch: number): Signal | null {
  const count = (...kinds: string[]): number =>
    why.blockers.reduce((sum, blocker) => sum + (kinds.includes(blocker.kind) ? blocker.count : 0), 0)
  const refusing = count('busy', 'refused', 'breaker', 'no-instance')
  if (refusing > 0)
    return {
      advice: 'lower',
      text: `${refusing} of its messages wait since the worker is busy, refuses connections or fails. If its memory climbs with prefetch, lower it; more at once would not help now.`,
    }
  const limited = count('limit')
  const behind = count('prefetch')
  if (limited > 0 && limited >= behind / longRounds)
    return {
      advice: 'keep',
      text: 'Its calls wait for the limit of their service: that paces them, whatever the prefetch is.',
    }
  if (behind >= longRounds * prefetch && why.inFlight >= prefetch)
    return {
      advice: 'raise',
      text: `Its queue is long: ${behind} messages wait for a place, and ${prefetch === 1 ? 'the only one is' : `all ${prefetch} are`} taken. If the CPU of the worker isn’t pegged, raise it.`,
    }
  return null
}
