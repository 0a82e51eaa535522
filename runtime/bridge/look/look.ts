import type { HeldNow } from '../../queue/deliver/delivery.ts'
import type { BridgeLook, CallCounts, Holding, HoldKind, NodeLook, Question } from '../../queue/look/ask.ts'
import { askedOf } from '../../queue/limits/told.ts'
import type { LimitLook } from '../../queue/limits/told.ts'
import type { Meters } from './meters.ts'

/** A queue that is read here. */
export interface HeldQueue {
  readonly topologyId: string
  readonly nodeId: string
  readonly isReplies: boolean
  readonly held: Iterable<HeldNow>
}

/** What of this bridge an answer is made of. */
export interface Seen {
  readonly bridge: string
  readonly highWater: number
  readonly queues: Iterable<HeldQueue>
  readonly meters: Pick<Meters, 'all'>
  readonly limits: () => readonly LimitLook[]
}

/** An answer names so many reasons of a node at most; further ones are counted without their text. */
const reasonsMax = 20
const reasonMaxLength = 300

/** Answers one question; costs something only for what is held. */
export function lookAt({ bridge, highWater, queues, meters, limits }: Seen, question: Question): BridgeLook {
  const isAsked = ({ topologyId, nodeId }: { readonly topologyId: string; readonly nodeId: string }): boolean =>
    (question.topologyId ?? topologyId) === topologyId && (question.nodeId ?? nodeId) === nodeId
  const clock = { now: performance.now(), at: Date.now() }
  const nodes = new Map<string, Omit<NodeLook, 'holdings'> & { readonly groups: Groups }>()
  const nodeOf = (topologyId: string, nodeId: string, settledPerSecond: number, calls?: CallCounts) => {
    const known = nodes.get(nodeId)
    if (known !== undefined) return known
    const groups = new Groups(question.nodeId !== null)
    const made = { topologyId, nodeId, settledPerSecond, ...(calls && { calls }), groups }
    nodes.set(nodeId, made)
    return made
  }
  for (const meter of meters.all()) {
    if (!isAsked(meter)) continue
    const rate = Math.round(meter.rate() * 100) / 100
    const calls = question.nodeId === null ? undefined : meter.recentCalls()
    if (rate > 0 || calls !== undefined) nodeOf(meter.topologyId, meter.nodeId, rate, calls)
  }
  for (const queue of queues) {
    if (!isAsked(queue)) continue
    for (const held of queue.held) nodeOf(queue.topologyId, queue.nodeId, 0).groups.add(queue.isReplies, held)
  }
  const shown = [...nodes.values()].map(({ groups, ...node }) => ({ ...node, holdings: groups.shown(clock) }))
  return { bridge, highWater, nodes: shown, limits: limitsAsked(limits, question) }
}

function limitsAsked(limits: () => readonly LimitLook[], { limits: asked = false }: Question): readonly LimitLook[] {
  if (asked === false) return []
  return asked === true ? limits() : askedOf(limits(), asked)
}

interface Group {
  readonly kind: HoldKind
  readonly isReply: boolean
  readonly reason: string | null
  count: number
  since: number
  first: number
  last: number
  readonly sequences: number[]
}

/** What is held of one node, by kind and reason. */
class Groups {
  readonly #groups = new Map<string, Group>()
  readonly #withSequences: boolean

  constructor(withSequences: boolean) {
    this.#withSequences = withSequences
  }

  add(isReply: boolean, { sequence, kind, since, standing }: HeldNow): void {
    const { until, reason } = standing
    const group = this.#groupOf(kind, isReply, reason?.slice(0, reasonMaxLength) ?? null)
    group.count++
    group.since = Math.min(group.since, since)
    group.first = Math.min(group.first, until?.first ?? Infinity)
    group.last = Math.max(group.last, until?.last ?? -Infinity)
    if (this.#withSequences) group.sequences.push(sequence)
  }

  #groupOf(kind: HoldKind, isReply: boolean, reason: string | null): Group {
    const key = `${kind} ${isReply} ${reason ?? ''}`
    const known = this.#groups.get(key)
    if (known !== undefined) return known
    if (reason !== null && this.#groups.size >= reasonsMax) return this.#groupOf(kind, isReply, null)
    const made = { kind, isReply, reason, count: 0, since: Infinity, first: Infinity, last: -Infinity, sequences: [] }
    this.#groups.set(key, made)
    return made
  }

  shown({ now, at }: { readonly now: number; readonly at: number }): Holding[] {
    const time = (monotonic: number): string => new Date(at + monotonic - now).toISOString()
    return [...this.#groups.values()].map(({ since, first, last, ...group }) => ({
      ...group,
      since: time(since),
      until: Number.isFinite(first) ? { first: time(first), last: time(last) } : null,
    }))
  }
}
