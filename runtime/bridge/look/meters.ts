import type { Called } from '../../call/call.ts'
import type { CallCounts } from '../../queue/look/ask.ts'
import type { Plan } from '../../topology/plan.ts'

/**
 * What is counted of each node. Plain fields: with a metrics library's own counters a hop would cost 1.2 µs more (measured, two
 * counters and a histogram), with these 0.05.
 */

/** What hops came to. `known`: they had been settled before. */
const hopOutcomes = ['forward', 'split', 'end', 'later', 'turn', 'trash', 'cancelled', 'known'] as const

/** What calls came to; a reply by the class of its status, the two that say "wait" by themselves. */
const callOutcomes = [
  '2xx',
  '3xx',
  '4xx',
  '5xx',
  '429',
  '503',
  'timeout',
  'lost',
  'bad-reply',
  'refused',
  'too-large',
] as const
export type CallOutcome = (typeof callOutcomes)[number]

/** Upper bounds of the histogram of call durations, in milliseconds; the last bucket has none. */
export const durationBoundsMs = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000] as const

/** A rate is measured over so many seconds at most. */
const windowSeconds = 10
const tickMs = 1_000
/** Calls are told of the last minute, as it was seen every so many ticks. */
const callTicks = 10
const callMarks = 6

/** What says that more was asked for at once than can be done. */
const overloadOutcomes = ['timeout', '429', '503'] as const satisfies readonly CallOutcome[]

const zeros = <K extends string>(keys: readonly K[]): Record<K, number> =>
  Object.fromEntries(keys.map((key) => [key, 0])) as Record<K, number>

/** Counters of one node; they only grow. */
export class NodeMeter {
  readonly topologyId: string
  readonly nodeId: string
  /** Names, as the plan in force has them. */
  labels: { readonly topology: string; readonly node: string; readonly worker: string }
  readonly hops = zeros(hopOutcomes)
  readonly calls = zeros(callOutcomes)
  /** Calls by their duration: one count for each bound, and one for the rest. */
  readonly durations: number[] = new Array<number>(durationBoundsMs.length + 1).fill(0)
  durationSumMs = 0
  /** What was settled in all at the last ticks, the newest last. */
  readonly #ticks: { readonly at: number; readonly settled: number }[] = []
  /** What was called in all, up to a minute ago, the newest last. */
  readonly #marks: CallCounts[] = [{ made: 0, overloaded: 0 }]
  #untilMark = callTicks

  constructor(topologyId: string, nodeId: string, labels: NodeMeter['labels']) {
    this.topologyId = topologyId
    this.nodeId = nodeId
    this.labels = labels
  }

  called({ result, durationMs }: Called): void {
    if (result.kind === 'held' || result.kind === 'put-off') return
    this.calls[result.kind === 'reply' ? classOf(result.status) : result.kind]++
    if (result.kind === 'refused') return
    let bucket = 0
    while (bucket < durationBoundsMs.length && durationMs > (durationBoundsMs[bucket] ?? 0)) bucket++
    this.durations[bucket] = (this.durations[bucket] ?? 0) + 1
    this.durationSumMs += durationMs
  }

  tick(now: number): void {
    this.#ticks.push({ at: now, settled: this.#settled })
    if (this.#ticks.length > windowSeconds + 1) this.#ticks.shift()
    if (--this.#untilMark > 0) return
    this.#untilMark = callTicks
    this.#marks.push(this.#called)
    if (this.#marks.length > callMarks) this.#marks.shift()
  }

  /** Hops that were settled here, a second, over the last seconds; 0 until there are two ticks. */
  rate(): number {
    const [first, last] = [this.#ticks[0], this.#ticks.at(-1)]
    if (first === undefined || last === undefined || last.at <= first.at) return 0
    return ((last.settled - first.settled) * 1_000) / (last.at - first.at)
  }

  /** Calls that were sent and came to an end in the last minute. */
  recentCalls(): CallCounts {
    const [now, before] = [this.#called, this.#marks[0] ?? { made: 0, overloaded: 0 }]
    return { made: now.made - before.made, overloaded: now.overloaded - before.overloaded }
  }

  get #called(): CallCounts {
    const made = callOutcomes.reduce((sum, outcome) => sum + this.calls[outcome], 0) - this.calls.refused
    return { made, overloaded: overloadOutcomes.reduce((sum, outcome) => sum + this.calls[outcome], 0) }
  }

  /** A message that is delayed, or waits for its turn, comes back: it isn't settled. */
  get #settled(): number {
    const { forward, split, end, trash, cancelled } = this.hops
    return forward + split + end + trash + cancelled
  }
}

function classOf(status: number): CallOutcome {
  if (status < 300) return '2xx'
  if (status < 400) return '3xx'
  if (status === 429 || status === 503) return `${status}`
  return status < 500 ? '4xx' : '5xx'
}

/** The meters of a bridge, one for each node of the plans in force. */
export interface Meters {
  of(plan: Plan, nodeId: string): NodeMeter
  /** Forgets the nodes of the topology that aren't in the plan; null: all of them. */
  keep(topologyId: string, plan: Plan | null): void
  all(): Iterable<NodeMeter>
  close(): void
}

export function openMeters(): Meters {
  const meters = new Map<string, NodeMeter>()
  const timer = setInterval(() => {
    const now = performance.now()
    for (const meter of meters.values()) meter.tick(now)
  }, tickMs).unref()
  return {
    of(plan, nodeId) {
      const node = plan.nodes.find(({ id }) => id === nodeId)
      const worker = node !== undefined && 'worker' in node ? node.worker : ''
      const labels = { topology: plan.name, node: node?.name ?? nodeId, worker }
      const known = meters.get(nodeId)
      if (known !== undefined) {
        known.labels = labels
        return known
      }
      const meter = new NodeMeter(plan.topologyId, nodeId, labels)
      meters.set(nodeId, meter)
      return meter
    },
    keep(topologyId, plan) {
      const kept = new Set(plan?.nodes.map(({ id }) => id))
      for (const [id, meter] of meters) if (meter.topologyId === topologyId && !kept.has(id)) meters.delete(id)
    },
    all: () => meters.values(),
    close: () => clearInterval(timer),
  }
}
