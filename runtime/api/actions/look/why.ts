import type { BreakerView, Delay, Heartbeat } from '../../../queue/control.ts'
import type { Holding } from '../../../queue/look/ask.ts'
import { isEventNode } from '../../../topology/plan.ts'
import { instanceHealth, nodeHealth } from '../health/health.ts'
import { countHeld } from './facts.ts'
import type { NodeFacts, TopologyFacts } from './facts.ts'

/**
 * Why the messages of a node wait: each of them is counted in one class, and each class has one blocker. Pure: what is known comes in.
 */

export const blockerKinds = [
  'unpublished',
  'cancelling',
  'no-bridge',
  'bridges-behind',
  'paused',
  'prefetch',
  'calling',
  'limit',
  'retry',
  'busy',
  'refused',
  'no-instance',
  'breaker',
  'order',
  'split',
  'follower',
  'replies',
  'redelivery',
  'moving',
] as const

export interface Blocker {
  readonly kind: (typeof blockerKinds)[number]
  /** Stored replies, or messages in the node's queue, held or delayed. */
  readonly of: 'messages' | 'replies'
  readonly count: number
  /** For people. */
  readonly text: string
  /** RFC 3339; null: not known. */
  readonly since: string | null
  /** When the first and the last of them go on by themselves; null: nobody knows. */
  readonly until: { readonly first: string; readonly last: string } | null
}

/** What is known besides the node's own facts. */
export interface Around extends Omit<TopologyFacts, 'nodes'> {
  /** Everything of the topology is being cancelled. */
  readonly isCancelling: boolean
  /** Addresses of the node's worker; null: no worker has that name, or the node calls none. */
  readonly workerUrls: readonly string[] | null
}

/** Nobody reads the queue at all, for one reason. */
interface Standstill {
  readonly kind: 'unpublished' | 'no-bridge' | 'bridges-behind'
  readonly text: string
}

export function blockersOf(facts: NodeFacts, around: Around): Blocker[] {
  const { depth, delays } = facts
  const still = standstillOf(around)
  const found: Blocker[] = []
  const add = (count: number, blocker: Omit<Blocker, 'count' | 'since' | 'until'> & Partial<Blocker>): void => {
    if (count > 0) found.push({ since: null, until: null, ...blocker, count })
  }
  if (still !== null) {
    add(depth.pending + depth.inFlight, { ...still, of: 'messages', since: sinceOf(facts) })
    add(depth.replies, { ...still, of: 'replies' })
  } else {
    for (const holding of facts.holdings) add(holding.count, ofHolding(holding, facts, around))
    add(depth.pending, ofPending(facts, around))
    const [inputs, replies] = [heldOf(facts, false), heldOf(facts, true)]
    add(depth.inFlight - inputs, { kind: 'redelivery', of: 'messages', text: redelivered(around) })
    add(depth.replies - replies, { kind: 'replies', of: 'replies', text: ofReplies(replies) })
  }
  for (const { kind, text, list } of delayClasses(delays, around)) {
    const [first, last] = [list[0]?.at, list.at(-1)?.at]
    if (first !== undefined && last !== undefined)
      add(list.length, { kind, of: 'messages', text, until: { first, last } })
  }
  return mergedByKind(found)
}

function standstillOf({ topology, plan, live, isCancelling }: Around): Standstill | null {
  if (topology.visibility === 'draft' && !isCancelling)
    return { kind: 'unpublished', text: 'the topology is a draft: its messages are kept until it is published again' }
  if (live.length === 0) return { kind: 'no-bridge', text: 'no bridge is alive: start one with `sluice bridge`' }
  const current = live.filter(({ revisions }) => (revisions[plan.topologyId] ?? 0) > 0)
  if (current.length > 0) return null
  return { kind: 'bridges-behind', text: `no bridge has its plan yet (revision ${plan.revision}): see their logs` }
}

const heldOf = ({ holdings }: NodeFacts, isReplies: boolean): number =>
  holdings.reduce((sum, { isReply, count }) => sum + (isReply === isReplies ? count : 0), 0)

const sinceOf = ({ oldestAt }: NodeFacts): string | null => oldestAt?.toISOString() ?? null

type Class = Pick<Blocker, 'kind' | 'of' | 'text' | 'since' | 'until'>

function ofHolding(holding: Holding, facts: NodeFacts, around: Around): Class {
  const { isReply, reason, since, until } = holding
  const common = { of: isReply ? ('replies' as const) : ('messages' as const), since, until }
  switch (holding.kind) {
    case 'calling':
      return { ...common, kind: 'calling', text: 'at the worker' }
    case 'limit':
      return { ...common, kind: 'limit', text: limitText(reason, facts) }
    case 'retry':
      return { ...common, kind: 'retry', text: `failed, and tried again in place: ${reason ?? 'no reason known'}` }
    case 'busy':
      return { ...common, kind: 'busy', text: `waiting as long as the worker asked for: ${reason ?? '503'}` }
    case 'refused':
      return { ...common, ...refused(reason, around) }
    case 'turn':
      return { ...common, kind: 'breaker', text: breakerText(facts, around) }
    case 'paused':
      return { ...common, kind: 'paused', text: pauseText(facts) }
    case 'order':
      return {
        ...common,
        kind: 'order',
        text: 'waiting until earlier messages are done in lanes that the node had before',
      }
    case 'split':
      return {
        ...common,
        kind: 'split',
        text: 'waiting until what was split is in the queues of the followers, in order',
      }
    case 'follower':
      return { ...common, kind: 'follower', text: followerText(reason, around) }
    case 'asking':
    case 'settling':
      return { ...common, kind: 'moving', text: movingText }
    default:
      return holding.kind satisfies never
  }
}

/** With more reasons than a bridge tells, some come without theirs. */
function limitText(reason: string | null, { node }: Pick<NodeFacts, 'node'>): string {
  const service = isEventNode(node) ? null : node.service
  return `waiting ${reason ?? (service === null ? 'since the worker answered 429' : `for limits of service ${service}`)}`
}

const movingText = 'on the way: nothing holds it up'

function refused(reason: string | null, { workerUrls }: Around): Pick<Blocker, 'kind' | 'text'> {
  if (workerUrls === null || workerUrls.length === 0)
    return { kind: 'no-instance', text: 'the worker has no address: register it' }
  return { kind: 'refused', text: `no instance of the worker takes connections: ${reason ?? 'refused'}` }
}

function breakerText({ node }: NodeFacts, { live }: Around): string {
  const own = nodeHealth(node.id, live)
  if (own !== null) return `waiting for the breaker of the node: ${stateText(own)}`
  const worst = isEventNode(node) ? null : worstInstance(node.worker, live)
  if (worst !== null) return `waiting for the breaker of ${worst.url}: ${stateText(worst)}`
  return 'waiting for a turn at an instance of the worker'
}

const stateText = ({ state, reason }: Pick<BreakerView, 'reason'> & { readonly state: string }): string =>
  reason === null ? state : `${state}, ${reason}`

function worstInstance(worker: string, live: readonly Heartbeat[]) {
  const urls = new Set(
    live.flatMap(({ instances }) => instances).flatMap((one) => (one.worker === worker ? one.url : [])),
  )
  return [...urls].map((url) => instanceHealth(worker, url, live)).find(({ state }) => state !== 'closed') ?? null
}

function pauseText({ pause }: NodeFacts): string {
  const { pausedReason } = pause
  return pausedReason ?? 'waiting until the bridge knows again what is paused: it has lost NATS, or was just told'
}

function followerText(nodeId: string | null, { plan, highWater }: Around): string {
  const name = plan.nodes.find(({ id }) => id === nodeId)?.name ?? nodeId ?? 'a follower'
  return `waiting for room: more than ${highWater ?? 'the high-water mark of'} messages are before "${name}"`
}

/** Messages that no bridge holds. */
function ofPending(facts: NodeFacts, { isCancelling }: Around): Class {
  const common = { of: 'messages' as const, since: sinceOf(facts), until: null }
  if (isCancelling) return { ...common, kind: 'cancelling', text: 'settling as cancelled, one after the other' }
  if (facts.pause.paused === true) return { ...common, kind: 'paused', text: pauseText(facts) }
  const { inFlight, places } = facts.depth
  const lanes = isEventNode(facts.node) ? 1 : facts.node.partitions
  const isFull = inFlight >= places || (lanes > 1 && inFlight > 0)
  if (!isFull) return { ...common, kind: 'moving', text: movingText }
  return {
    ...common,
    kind: 'prefetch',
    text: `waiting behind ${counted(inFlight, 'held')}: ${placesText(facts, lanes)}`,
  }
}

function placesText(facts: NodeFacts, lanes: number): string {
  const calling = countHeld(facts, ['calling'])
  const places =
    lanes > 1 ? `each of ${lanes} lanes takes one at a time` : `prefetch lets ${facts.depth.places} through`
  return `${places}; ${calling} of them at the worker`
}

function redelivered({ silent }: Around): string {
  return silent.length > 0
    ? 'held by a bridge that does not answer; a dead one holds nothing after 5 s'
    : 'held by a bridge that is gone: delivered again within 5 s'
}

const counted = (count: number, what: string): string =>
  count === 1 ? `the one that is ${what}` : `the ${count} that are ${what}`

function ofReplies(held: number): string {
  return held > 0 ? `waiting behind ${counted(held, 'being split')}` : 'about to be split'
}

/** Delayed messages by what they are delayed for: a turn at a limit, or since they failed. */
function delayClasses(delays: NodeFacts['delays'], around: Around) {
  const failed = delays.filter(({ limit }) => limit === null)
  const whose = new Map<string, Delay[]>()
  for (const delay of delays) {
    if (delay.limit === null) continue
    const { service, who } = delay.limit
    const one = who === null ? `service ${service}, without a tenant` : `service ${service} for ${who}`
    const name = whose.has(one) || whose.size < whoseMax ? one : `service ${service} for others`
    const list = whose.get(name) ?? []
    list.push(delay)
    whose.set(name, list)
  }
  return [
    { kind: 'retry' as const, text: delayedText(around), list: failed },
    ...[...whose].map(([name, list]) => ({ kind: 'limit' as const, text: `waiting for a turn at ${name}`, list })),
  ]
}

/** So many are named by themselves. */
const whoseMax = 20

function delayedText({ areDelaysComplete }: Around): string {
  const more = areDelaysComplete ? '' : '; there are more delayed messages in the topology than were looked at'
  return `failed, and back in the queue when the delay is over${more}`
}

/** One for each kind and text: lanes and bridges make several of the same. */
function mergedByKind(blockers: readonly Blocker[]): Blocker[] {
  const merged = new Map<string, Blocker>()
  for (const one of blockers) {
    const key = `${one.kind} ${one.of} ${one.text}`
    const known = merged.get(key)
    merged.set(key, known === undefined ? one : both(known, one))
  }
  return [...merged.values()].sort((a, b) => b.count - a.count)
}

function both(one: Blocker, other: Blocker): Blocker {
  const since = [one.since, other.since].filter((time) => time !== null).sort()[0] ?? null
  const untils = [one.until, other.until].filter((until) => until !== null)
  const first = untils.map((until) => until.first).sort()[0]
  const last = untils
    .map((until) => until.last)
    .sort()
    .at(-1)
  const until = first === undefined || last === undefined ? null : { first, last }
  return { ...one, count: one.count + other.count, since, until }
}
