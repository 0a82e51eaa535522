import type { z } from '@hono/zod-openapi'
import { textOf } from '../../../errors.ts'
import type { Heartbeat } from '../../../queue/control.ts'
import { fingerprintOf } from '../../../secrets.ts'
import { nodePlaces } from '../../../store/queries/nodes.ts'
import type { NodePlace } from '../../../store/queries/nodes.ts'
import type { ApiDeps } from '../../deps.ts'
import type * as schemas from '../../schemas/system.ts'

type Trouble = z.infer<typeof schemas.status>['bridges'][number]['trouble'][number]

/** By node id; empty when Postgres is away. */
export type Places = ReadonlyMap<string, NodePlace>

/** What keeps each bridge from some of its work: another secret key, workers that it can't call, breakers of nodes. */
export function troublesOf(secretKey: string, bridges: readonly Heartbeat[], places: Places): Map<string, Trouble[]> {
  const print = fingerprintOf(secretKey)
  return new Map(bridges.map((bridge) => [bridge.id, troubleOf(bridge, print, places)]))
}

const nothing = { worker: null, topology: null, node: null, nodeId: null, since: null, yielding: false } as const
const otherKey = 'its SLUICE_SECRET_KEY is another one than that of this control: it can not call workers with a secret'

function troubleOf(
  { secretKey, troubles = [], limitsAway = [], nodes }: Heartbeat,
  ownPrint: string,
  places: Places,
): Trouble[] {
  const isOther = secretKey !== undefined && secretKey !== ownPrint
  return [
    ...(isOther ? [{ ...nothing, kind: 'secret-key' as const, reason: otherKey }] : []),
    ...troubles.map((one) => ({ ...nothing, ...one, kind: 'worker' as const })),
    ...limitsAway.map((service) => ({ ...nothing, kind: 'limit' as const, reason: awayText(service) })),
    ...nodes.map(({ node: nodeId, since, reason, state }) => {
      const { topology, node } = places.get(nodeId) ?? nothing
      return { ...nothing, kind: 'node' as const, topology, node, nodeId, since, reason: reason ?? state }
    }),
  ]
}

const awayText = (service: string): string =>
  `what it reserves of service ${service} can not be kept in NATS: it goes on with its share of the rate, and with no more calls in flight than it held`

/** Where the nodes are whose breaker isn't closed at some bridge; empty when Postgres is away. */
export async function placesOf({ store, log }: ApiDeps, bridges: readonly Heartbeat[]): Promise<Places> {
  try {
    return await nodePlaces(store, [...new Set(bridges.flatMap(({ nodes }) => nodes.map(({ node }) => node)))])
  } catch (error) {
    log.debug('nodes are shown without their names', { error: textOf(error) })
    return new Map()
  }
}
