import { Unavailable } from '../../../errors.ts'
import type { BreakerView, Heartbeat } from '../../../queue/control.ts'
import type { ApiDeps } from '../../deps.ts'

/** Empty when NATS is away: then nobody knows. */
export async function knownBridges({ queues }: Pick<ApiDeps, 'queues'>): Promise<Heartbeat[]> {
  try {
    return await queues.bridges()
  } catch (error) {
    if (error instanceof Unavailable) return []
    throw error
  }
}

/** From the best to the worst. */
const states = ['closed', 'ramping', 'probing', 'open'] as const satisfies readonly BreakerView['state'][]

interface InstanceState {
  readonly url: string
  readonly state: BreakerView['state'] | 'unusable' | 'unknown'
  readonly since: string | null
  readonly reason: string | null
  readonly inFlight: number
  readonly seenBy: SeenBy[]
}

/** How one bridge sees it. `unusable`: the bridge can't use the worker at all. */
interface SeenBy {
  readonly bridge: string
  readonly host: string
  readonly state: Exclude<BreakerView['state'], 'closed'> | 'unusable'
  readonly since: string
  readonly reason: string | null
}

/**
 * An instance as the bridge sees it that sees it best: it works when any gets through to it; and as every bridge sees it that can't
 * call it freely. One URL may have several addresses.
 */
export function instanceHealth(worker: string, url: string, bridges: readonly Heartbeat[]): InstanceState {
  const isOfUrl = (view: { readonly worker: string; readonly url: string }): boolean =>
    view.worker === worker && (view.url === url || view.url.startsWith(`${url} (`))
  const views = bridges.flatMap((bridge) => bridge.instances).filter(isOfUrl)
  const seenBy = bridges.flatMap((bridge): SeenBy[] => {
    const { id, host, instances } = bridge
    const own = instances.filter(isOfUrl)
    const shown = instances.some((view) => view.worker === worker) ? own : unusableAt(bridge, worker)
    return shown.flatMap(({ state, since, reason }) =>
      state === 'closed' ? [] : [{ bridge: id, host, state, since, reason }],
    )
  })
  const inFlight = views.reduce((sum, view) => sum + view.inFlight, 0)
  const best = fromBest(views).at(0)
  const { state, since, reason } = best ?? seenBy[0] ?? { state: 'unknown', since: null, reason: null }
  return { url, state, since, reason, inFlight, seenBy }
}

function unusableAt({ troubles = [] }: Heartbeat, worker: string): Pick<SeenBy, 'state' | 'since' | 'reason'>[] {
  return troubles.filter((one) => one.worker === worker).map((one) => ({ ...one, state: 'unusable' }))
}

/** A node as the bridge sees it that sees it worst, since that one holds messages back; null: no bridge does. */
export function nodeHealth(node: string, bridges: readonly Heartbeat[]): BreakerView | null {
  const worst = fromBest(bridges.flatMap(({ nodes }) => nodes).filter((view) => view.node === node)).at(-1)
  return worst === undefined ? null : { state: worst.state, since: worst.since, reason: worst.reason }
}

function fromBest<T extends BreakerView>(views: readonly T[]): T[] {
  return [...views].sort((a, b) => states.indexOf(a.state) - states.indexOf(b.state))
}
