import { newId } from '../../../runtime/ids.ts'
import type { ServiceLimits } from '../../../runtime/topology/limits/limits.ts'
import { closing } from '../../bridge/flow.ts'
import { startEngine } from '../../support/engine.ts'
import type { TestEngine } from '../../support/engine.ts'
import { eventually } from '../../support/eventually.ts'
import { spawnRole } from '../../support/role.ts'
import type { Role } from '../../support/role.ts'
import { strictApi, tlsFile } from './strict.ts'
import type { StrictApi, StrictLimit } from './strict.ts'

const service = 'shop'

export interface Setup {
  /** Prefetch of each node of each topology; all of them are followers of its start. */
  readonly topologies: readonly (readonly number[])[]
  readonly limits: Partial<ServiceLimits>
  readonly strict: readonly StrictLimit[]
  readonly bridges: number
  /** How long the API takes, in milliseconds. */
  readonly delayMs?: number
  /** How long a connection to it takes to open, which it closes after each call; otherwise they stay open. */
  readonly connectMs?: number
}

export interface Limited {
  readonly engines: readonly TestEngine[]
  readonly api: StrictApi
  readonly bridges: readonly Role[]
  /** Starts the bridges, each in a process of its own, and waits until all of them live. */
  openBridges(): Promise<void>
}

/** Topologies of one engine whose nodes call one strict API; nothing flows before the bridges are opened. */
export async function limitedFlow({
  topologies,
  limits,
  strict,
  bridges: count,
  delayMs = 5,
  connectMs,
}: Setup): Promise<Limited> {
  const api = await strictApi(strict, { delayMs, connectMs: connectMs ?? null })
  closing.push(api)
  const namespace = `t_${newId()}`
  const engines: TestEngine[] = []
  for (const nodes of topologies) {
    const named = nodes.map((prefetch, index) => ({ name: `n${index}`, service, prefetch, timeoutMs: 10_000 }))
    const edges = named.map(({ name: to }) => ({ from: 'start', to }))
    const engine = await startEngine(named, edges, undefined, undefined, namespace)
    closing.push(engine)
    engines.push(engine)
    await engine.setWorker(api.url)
  }
  const [first] = engines
  const declared = { name: service, limits: [], maxInFlight: null, inFlightScope: 'global' as const, ...limits }
  await first?.queues.control.putService(declared)
  const bridges: Role[] = []
  return {
    engines,
    api,
    bridges,
    async openBridges() {
      for (let n = 0; n < count; n++) {
        const bridge = spawnRole('bridge', namespace, { NODE_EXTRA_CA_CERTS: tlsFile('cert') })
        closing.push(bridge)
        bridges.push(bridge)
      }
      const live = async (): Promise<boolean> => (await first?.queues.control.bridges())?.length === count
      await eventually('all bridges live', live, { timeoutMs: 60_000 })
    },
  }
}

/** Starts so many runs of each topology. */
export async function startAll({ engines }: Limited, runs: number, tenant?: string): Promise<void> {
  for (const engine of engines)
    for (let n = 0; n < runs; n++) await engine.start(String(n), tenant === undefined ? {} : { tenant })
}
