import type { PermitState, Tier } from '../../../limiter/permits.ts'
import type { ServiceUser } from '../../../store/queries/services.ts'
import { publishedAmong } from '../../../store/queries/topologies.ts'
import type { ApiDeps } from '../../deps.ts'
import { eachOf } from '../look/each.ts'
import { askAround, factsOf } from '../look/facts.ts'
import type { NodeFacts, TopologyFacts } from '../look/facts.ts'
import { newestPlan } from '../plans.ts'
import { instantOfLast } from './forecast.ts'

/** What waits before one node that uses the service. */
export interface NodeBacklog {
  readonly topology: string
  readonly node: string
  readonly cost: number
  /** Queued, held and delayed. */
  readonly messages: number
  /** RFC 3339: when the last of the delayed ones comes into the queue again; null: none is delayed. */
  readonly lastDelay: string | null
  /** What nobody knows the end of; null: it goes on. */
  readonly stop: string | null
  readonly isComplete: boolean
}

type Deps = Pick<ApiDeps, 'store' | 'queues'>

/** Topologies that are looked at side by side. */
const atOnce = 8

/** Throws `Unavailable`. */
export async function backlogsOf(deps: Deps, users: readonly ServiceUser[]): Promise<NodeBacklog[]> {
  const published = users.filter((user) => user.published)
  const ids = [...new Set(published.map(({ topologyId }) => topologyId))]
  if (ids.length === 0) return []
  const around = await askAround(deps, ids.length === 1 ? (ids[0] ?? null) : null)
  const heads = (await publishedAmong(deps.store, ids)).filter(({ id }) => ids.includes(id))
  const lists = await eachOf(heads, atOnce, async (head) => {
    const plan = await newestPlan(deps.store, head)
    if (plan === null) return []
    const facts = await factsOf(deps, head, plan, around)
    return published.flatMap((user) => {
      const own = user.topologyId === head.id ? facts.nodes.find(({ node }) => node.id === user.nodeId) : undefined
      return own === undefined ? [] : [backlogOf(own, facts, user.limitCost)]
    })
  })
  return lists.flat()
}

function backlogOf(facts: NodeFacts, { topology, live, areDelaysComplete }: TopologyFacts, cost: number): NodeBacklog {
  const { node, depth, delays, pause } = facts
  const name = `${topology.name}/${node.name}`
  const stop =
    live.length === 0 ? 'no bridge is alive' : pause.paused === true ? `${name} is paused: ${pause.pausedReason}` : null
  return {
    topology: topology.name,
    node: node.name,
    cost,
    messages: depth.pending + depth.inFlight + delays.length,
    lastDelay: delays.at(-1)?.at ?? null,
    stop,
    isComplete: areDelaysComplete,
  }
}

/** The node that is asked about. */
export type WaitingAt = Pick<NodeBacklog, 'topology' | 'node' | 'messages'>

/** Of what waits before nodes that share a service: what is called before the last message of one of them, since they take turns. */
export function sharedWith({ topology, node, messages }: WaitingAt, backlogs: readonly NodeBacklog[]): NodeBacklog[] {
  return backlogs.flatMap((one) => {
    if (one.topology === topology && one.node === node) return { ...one, messages }
    if (one.stop !== null) return []
    const isEnough = one.messages >= messages
    return {
      ...one,
      messages: Math.min(one.messages, messages),
      lastDelay: null,
      isComplete: one.isComplete || isEnough,
    }
  })
}

/** What of the service's limits says when its backlog will be done. */
export interface Limiting {
  readonly now: number
  /** No calls before. */
  readonly pausedUntil: number
  readonly tiers: readonly Tier[]
  readonly state: PermitState
  /** Some of its limits hold for each tenant by itself. */
  readonly isPerTenant: boolean
  /** Calls wait for it now. */
  readonly isBinding: boolean
  /** Over the last ten seconds. */
  readonly callsPerSecond: number
}

export interface Forecast {
  readonly doneAt: string | null
  readonly secondsLeft: number | null
  /** What it goes by; null: nobody knows. */
  readonly by: 'nothing-waits' | 'declared' | 'observed' | null
  /** Why it isn't known. */
  readonly reason: string | null
}

/**
 * When what waits now will have been called: as fast as the service's limits allow where these are what it waits for, else as fast as in the
 * last seconds. How many of the waiting messages are whose is counted nowhere, so limits per tenant count by what they let through.
 */
export function forecastOf(backlogs: readonly NodeBacklog[], limiting: Limiting): Forecast {
  const waiting = backlogs.filter(({ messages }) => messages > 0)
  const { now, tiers, isBinding, isPerTenant } = limiting
  if (waiting.length === 0) return knownAt(now, now, 'nothing-waits')
  const stop = waiting.find((one) => one.stop !== null)?.stop
  if (stop) return unknown(`nobody knows when this ends: ${stop}`)
  if (waiting.some(({ isComplete }) => !isComplete)) return unknown('there are more delayed messages than were counted')
  const observed = observedAt(waiting, limiting)
  const isDeclared = tiers.length > 0 && !isPerTenant && (isBinding || observed === null)
  if (isDeclared) return knownAt(now, declaredAt(waiting, limiting), 'declared')
  if (observed !== null) return knownAt(now, observed, 'observed')
  return unknown(isPerTenant ? ofTenants : 'nothing of it was called in the last 10 s, and no rate is declared')
}

const ofTenants =
  'limits hold for each tenant by itself, whose messages wait is not counted, and nothing was called in the last 10 s'

const unknown = (reason: string): Forecast => ({ doneAt: null, secondsLeft: null, by: null, reason })

function knownAt(now: number, at: number, by: Forecast['by']): Forecast {
  const secondsLeft = Math.max(0, Math.ceil((at - now) / 1_000))
  return { doneAt: new Date(now + secondsLeft * 1_000).toISOString(), secondsLeft, by, reason: null }
}

/** Calls of different costs come one after the other. */
function declaredAt(waiting: readonly NodeBacklog[], { now, pausedUntil, tiers, state }: Limiting): number {
  const from = Math.max(now, pausedUntil)
  const cost = waiting.reduce((sum, one) => sum + one.messages * one.cost, 0)
  const calls = waiting.reduce((sum, { messages }) => sum + messages, 0)
  return instantOfLast(state, tiers, { from, calls, cost: cost / calls })
}

/** Null: nothing was called lately. */
function observedAt(waiting: readonly NodeBacklog[], { now, pausedUntil, callsPerSecond }: Limiting): number | null {
  if (callsPerSecond === 0) return null
  const calls = waiting.reduce((sum, { messages }) => sum + messages, 0)
  const delayed = waiting.map(({ lastDelay }) => (lastDelay === null ? 0 : Date.parse(lastDelay)))
  return Math.max(now + (calls / callsPerSecond) * 1_000, pausedUntil, ...delayed)
}
