import { Unavailable } from '../../errors.ts'
import type { BreakerView, Heartbeat } from '../../queue/control.ts'
import type { ApiDeps } from '../deps.ts'

/** Empty when NATS is away: then nobody knows. */
export async function liveBridges({ queues }: Pick<ApiDeps, 'queues'>): Promise<Heartbeat[]> {
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
  readonly state: BreakerView['state'] | 'unknown'
  readonly since: string | null
  readonly reason: string | null
  readonly inFlight: number
}

/** An instance as the bridge sees it that sees it best: it works when any gets through to it. One URL may have several addresses. */
export function instanceHealth(worker: string, url: string, bridges: readonly Heartbeat[]): InstanceState {
  const views = bridges
    .flatMap((bridge) => bridge.instances)
    .filter((view) => view.worker === worker && (view.url === url || view.url.startsWith(`${url} (`)))
  const inFlight = views.reduce((sum, view) => sum + view.inFlight, 0)
  const best = fromBest(views).at(0)
  if (best === undefined) return { url, state: 'unknown', since: null, reason: null, inFlight }
  return { url, state: best.state, since: best.since, reason: best.reason, inFlight }
}

/** A node as the bridge sees it that sees it worst, since that one holds messages back; null: no bridge does. */
export function nodeHealth(node: string, bridges: readonly Heartbeat[]): BreakerView | null {
  const worst = fromBest(bridges.flatMap(({ nodes }) => nodes).filter((view) => view.node === node)).at(-1)
  return worst === undefined ? null : { state: worst.state, since: worst.since, reason: worst.reason }
}

function fromBest<T extends BreakerView>(views: readonly T[]): T[] {
  return [...views].sort((a, b) => states.indexOf(a.state) - states.indexOf(b.state))
}
