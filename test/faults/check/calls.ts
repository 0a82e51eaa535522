/** Calls that were made again, and by which faults that is explained: pure. */
import type { CallRecord } from '../parts/worker.ts'
import type { Evidence, Hit, Violation } from './evidence.ts'

type Calls = Pick<Evidence, 'calls' | 'hits' | 'atOnce'>

/** A message whose calls were made again under the same numbers, by who took it over. */
interface Repeat {
  readonly call: CallRecord
  /** Its last call by who lost it, and the first one by who took over: what was the fault lies between. */
  readonly from: number
  readonly to: number
}

/** Which fault each message is put down to; null: none explains it. */
interface Explained {
  readonly repeat: Repeat
  readonly hit: Hit | null
}

/**
 * One for each time that a message was taken over: who does so begins to count anew, so several calls may be made again. Those that were
 * told to wait are no such calls, nor is a replay, which has the same key and another place in the stream.
 */
function repeatsOf(calls: readonly CallRecord[]): Repeat[] {
  const before = new Map<string, CallRecord>()
  const found: Repeat[] = []
  const newest = new Map<string, number>()
  for (const call of calls) {
    const message = `${call.key} ${call.sequence}`
    const which = `${message} ${call.attempt}`
    const first = before.get(which)
    before.set(which, call)
    if (first === undefined || first.answer === '429' || first.answer === '503') continue
    const index = newest.get(message)
    const last = index === undefined ? undefined : found[index]
    if (index !== undefined && last !== undefined && first.at < last.to)
      found[index] = { ...last, from: Math.max(last.from, first.at) }
    else newest.set(message, found.push({ call, from: first.at, to: call.at }) - 1)
  }
  return found
}

/**
 * Puts each repeated message down to a fault between its two calls, so that no fault gets more than it may (`allowed`), if there is a
 * way to do so: faults overlap, and which of them it was can't be seen.
 */
export function explain({ calls, hits, atOnce }: Calls): Explained[] {
  const given = new Map<Hit, Set<Repeat>>(hits.map((hit) => [hit, new Set()]))
  const owner = new Map<Repeat, Hit>()
  // A matching with augmenting paths: who is in the way moves on to another fault, if it can.
  const place = (repeat: Repeat, tried: Set<Hit>): boolean => {
    for (const hit of hits) {
      if (tried.has(hit) || hit.to < repeat.from || hit.from > repeat.to) continue
      tried.add(hit)
      const taken = given.get(hit) ?? new Set()
      const other = taken.size < allowed(hit, atOnce) ? null : [...taken].find((one) => place(one, tried))
      if (other === undefined) continue
      if (other !== null) taken.delete(other)
      taken.add(repeat)
      owner.set(repeat, hit)
      return true
    }
    return false
  }
  const repeats = repeatsOf(calls)
  for (const repeat of repeats) place(repeat, new Set())
  return repeats.map((repeat) => ({ repeat, hit: owner.get(repeat) ?? null }))
}

/** What was open at a bridge; a server that dies forgets besides what it had just delivered. */
const allowed = ({ what }: Hit, atOnce: number): number => (what === 'nats' ? 2 : 1) * atOnce

/** A call is made again only by a fault of a bridge or of NATS, and only as many as were open. */
export function checkCalls(evidence: Calls): Violation[] {
  const { hits } = evidence
  return explain(evidence).flatMap(({ repeat, hit }): Violation[] => {
    if (hit !== null) return []
    const { call, from, to } = repeat
    const times = `${new Date(from).toISOString()} and ${new Date(to).toISOString()}`
    const near = hits.filter((one) => one.to >= from && one.from <= to).map(({ text }) => text)
    const why = near.length === 0 ? 'no fault explains it' : `more than its faults explain: ${near.join('; ')}`
    return [{ kind: 'calls', text: `call ${call.attempt} of ${call.key} at ${call.node} was made at ${times}: ${why}` }]
  })
}
