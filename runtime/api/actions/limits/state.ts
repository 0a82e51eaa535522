import type { Looks } from '../../../queue/control.ts'
import { markOfWho } from '../../../queue/limits/told.ts'
import type { Service } from '../../../store/queries/services.ts'
import { limitsOf, servicesNamed, usersOf } from '../../../store/queries/services.ts'
import type { ApiDeps } from '../../deps.ts'
import { backlogsOf, forecastOf, sharedWith } from './backlog.ts'
import type { Forecast, Limiting, NodeBacklog, WaitingAt } from './backlog.ts'
import { isPerTenant, keysOf, pausedUntil, showKey } from './keys.ts'
import type { KeyFacts } from './keys.ts'

type Deps = Pick<ApiDeps, 'store' | 'queues'>

interface Wanted {
  /** Keys per tenant: only this one; left out: a page of all. */
  readonly tenant: string | undefined
  /** `markOfWho` of the last one of the page before. */
  readonly after: string | null
  readonly limit: number
}

/** So many nodes that use a service are named, and their backlog counted, at most. */
const usersMax = 500

/** What a service is used for, and what its limits do, at this moment. `last` marks the page's end; null: it is the last page. Throws `Unavailable`. */
export async function stateOf(deps: Deps, service: Service, { tenant, after, limit }: Wanted) {
  const declared = limitsOf(service)
  const more = limit + 1
  const asked = { service: service.name, after, limit: more, ...(tenant !== undefined && { who: tenant }) }
  const [looks, limited, users] = await Promise.all([
    // No node has this id: of nodes nothing is asked here.
    deps.queues.look({ topologyId: '', nodeId: '', limits: asked }),
    deps.queues.limited(),
    usersOf(deps.store, service.name, usersMax + 1),
  ])
  const [{ shared, own }, backlogs] = await Promise.all([
    keysOf(deps, declared, { looks, limited }, asked),
    backlogsOf(deps, users.slice(0, usersMax)),
  ])
  const now = Date.now()
  const page = own.slice(0, limit)
  const last = page.at(-1)
  return {
    at: new Date(now).toISOString(),
    ...{ name: declared.name, limits: [...declared.limits], maxInFlight: declared.maxInFlight },
    inFlightScope: declared.inFlightScope,
    shared: showKey(shared, declared, now),
    items: page.map((key) => showKey(key, declared, now)),
    last: own.length > limit && last !== undefined ? markOfWho(last.who) : null,
    users: users.slice(0, usersMax).map((user) => ({ ...user })),
    usersLeftOut: users.length > usersMax,
    ...backlogShown(backlogs, shared, isPerTenant(declared), now),
    bridges: { live: looks.live.map(({ id }) => id), silent: silentOf(looks) },
  }
}

function backlogShown(backlogs: readonly NodeBacklog[], shared: KeyFacts, isOwn: boolean, now: number) {
  return {
    backlog: backlogs.reduce((sum, { messages }) => sum + messages, 0),
    ...forecastOf(backlogs, limitingOf(shared, isOwn, now)),
  }
}

function limitingOf(shared: KeyFacts, isOwn: boolean, now: number): Limiting {
  const { tiers, state, looks } = shared
  const waiting = looks.reduce((sum, look) => sum + look.waiting, 0)
  return {
    ...{ now, tiers, state, isPerTenant: isOwn, pausedUntil: pausedUntil(shared) },
    isBinding: waiting > 0 || pausedUntil(shared) > now,
    callsPerSecond: looks.reduce((sum, { perSecond }) => sum + perSecond, 0),
  }
}

/**
 * When what waits before one node will have been called, by the limits of its service: nodes that share it have their turn one after the other.
 * Null: nothing is declared. Throws `Unavailable`.
 */
export async function forecastOfNode(deps: Deps, name: string, own: WaitingAt, now: number): Promise<Forecast | null> {
  const [service] = await servicesNamed(deps.store, [name])
  if (service === undefined) return null
  const declared = limitsOf(service)
  const asked = { service: name, after: null, limit: 1 }
  const [looks, limited, users] = await Promise.all([
    deps.queues.look({ topologyId: '', nodeId: '', limits: asked }),
    deps.queues.limited(),
    usersOf(deps.store, name, usersMax),
  ])
  const [{ shared }, backlogs] = await Promise.all([
    keysOf(deps, declared, { looks, limited }, asked),
    backlogsOf(deps, users),
  ])
  const limiting = limitingOf(shared, isPerTenant(declared), now)
  return forecastOf(sharedWith(own, backlogs), { ...limiting, isBinding: true })
}

function silentOf({ live, looks }: Looks): string[] {
  const answered = new Set(looks.map(({ bridge }) => bridge))
  return live.map(({ id }) => id).filter((id) => !answered.has(id))
}
