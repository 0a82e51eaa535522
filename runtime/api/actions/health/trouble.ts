import type { z } from '@hono/zod-openapi'
import { textOf } from '../../../errors.ts'
import type { Heartbeat } from '../../../queue/control.ts'
import { fingerprintOf } from '../../../secrets.ts'
import { latestPlans } from '../../../store/queries/revisions.ts'
import type { ApiDeps } from '../../deps.ts'
import type * as schemas from '../../schemas/system.ts'

type Trouble = z.infer<typeof schemas.status>['bridges'][number]['trouble'][number]

/** By node id; empty when Postgres is away. */
type Names = ReadonlyMap<string, { readonly topology: string; readonly node: string }>

/** What keeps each bridge from some of its work: another secret key, workers that it can't call, breakers of nodes. */
export async function troublesOf(deps: ApiDeps, bridges: readonly Heartbeat[]): Promise<Map<string, Trouble[]>> {
  const names = bridges.some(({ nodes }) => nodes.length > 0) ? await nodeNames(deps) : new Map()
  const print = fingerprintOf(deps.secretKey)
  return new Map(bridges.map((bridge) => [bridge.id, troubleOf(bridge, print, names)]))
}

const nothing = { worker: null, topology: null, node: null, nodeId: null, since: null, yielding: false } as const
const otherKey = 'its SLUICE_SECRET_KEY is another one than that of this control: it can not call workers with a secret'

function troubleOf({ secretKey, troubles = [], nodes }: Heartbeat, ownPrint: string, names: Names): Trouble[] {
  const isOther = secretKey !== undefined && secretKey !== ownPrint
  return [
    ...(isOther ? [{ ...nothing, kind: 'secret-key' as const, reason: otherKey }] : []),
    ...troubles.map((one) => ({ ...nothing, ...one, kind: 'worker' as const })),
    ...nodes.map(({ node: nodeId, since, reason, state }) => {
      const { topology, node } = names.get(nodeId) ?? nothing
      return { ...nothing, kind: 'node' as const, topology, node, nodeId, since, reason: reason ?? state }
    }),
  ]
}

async function nodeNames({ store, log }: ApiDeps): Promise<Names> {
  try {
    const plans = await latestPlans(store)
    return new Map(
      plans.flatMap(({ name: topology, nodes }) => nodes.map(({ id, name }) => [id, { topology, node: name }])),
    )
  } catch (error) {
    log.debug('nodes are shown without their names', { error: textOf(error) })
    return new Map()
  }
}
