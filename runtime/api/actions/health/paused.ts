import type { z } from '@hono/zod-openapi'
import { Unavailable } from '../../../errors.ts'
import type { Limited } from '../../../queue/limits/told.ts'
import { nodePlaces } from '../../../store/queries/nodes.ts'
import type { ApiDeps } from '../../deps.ts'
import { pausedLimitsMax } from '../../schemas/system.ts'
import type * as schemas from '../../schemas/system.ts'
import type { Places } from './trouble.ts'

type PausedLimit = z.infer<typeof schemas.status>['pausedLimits'][number]

/** What isn't called now, since a worker answered 429; the longest first. Empty while NATS is away: then nobody knows. */
export async function pausedLimits({ store, queues }: Pick<ApiDeps, 'store' | 'queues'>): Promise<PausedLimit[]> {
  const now = Date.now()
  const paused = [...(await orNothing(() => queues.limited(), new Map<string, Limited>())).values()]
    .filter(({ until }) => Date.parse(until) > now)
    .sort((a, b) => (a.until < b.until ? 1 : -1))
    .slice(0, pausedLimitsMax)
  const nodes = paused.flatMap(({ key }) => (key.kind === 'node' ? [key.nodeId] : []))
  const places: Places = await orNothing(() => nodePlaces(store, nodes), new Map())
  return paused.map((one) => show(one, places))
}

function show({ key, until, at, retryAfterMs, times }: Limited, places: Places): PausedLimit {
  const common = { until, at, retryAfterMs, times }
  if (key.kind === 'service')
    return { service: key.service, who: key.who, topology: null, node: null, nodeId: null, ...common }
  const place = places.get(key.nodeId)
  const { topology = null, node = null } = place ?? {}
  return { service: null, who: null, topology, node, nodeId: key.nodeId, ...common }
}

async function orNothing<T>(work: () => Promise<T>, nothing: T): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Unavailable) return nothing
    throw error
  }
}
