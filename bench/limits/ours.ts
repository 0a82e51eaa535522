import { openBridge } from '../../runtime/bridge/bridge.ts'
import type { Bridge } from '../../runtime/bridge/bridge.ts'
import { newId } from '../../runtime/ids.ts'
import { openQueues } from '../../runtime/queue/open.ts'
import type { Queues } from '../../runtime/queue/open.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { compilePlan } from '../../runtime/topology/compile.ts'
import type { TopologyDocument } from '../../runtime/topology/schema.ts'
import { replicas } from './peers.ts'
import type { Caller } from './peers.ts'

/** Three bridges, four nodes of a topology, one service. */
export async function ours(natsUrl: string, url: string, rate: number, runs: number): Promise<Caller> {
  const options = { url: natsUrl, name: 'bench', namespace: `bench_${newId()}`, replicas: 1, log: silentLog }
  const queues = await openQueues(options)
  const names = ['a', 'b', 'c', 'd']
  const document = {
    name: 'limits',
    nodes: [
      { name: 'start', type: 'start' },
      ...names.map((name) => ({ name, type: 'connector', worker: 'api', service: 'api', prefetch: 10 })),
    ],
    edges: names.map((to) => ({ from: 'start', to })),
  } as TopologyDocument
  const topologyId = newId()
  const nodeIds = new Map(['start', ...names].map((name) => [name, newId()]))
  const plan = compilePlan({ topologyId, revision: 1, document, nodeIds, stored: new Map() })
  await queues.control.ensure(plan)
  await queues.control.putPlan(plan)
  const worker = { name: 'api', urls: [url], dialect: 'native' as const, version: 1, secret: null, timeoutMs: null }
  await queues.control.putWorker(worker)
  const limits = [{ rate, per: 'second' as const }]
  await queues.control.putService({ name: 'api', limits, maxInFlight: null, inFlightScope: 'global' })
  for (let n = 0; n < runs; n++) {
    const run = newId()
    const start = { topologyId, nodeId: nodeIds.get('start') ?? '', key: run, run, tenant: null, trace: null }
    await queues.control.start({ ...start, contentType: 'application/json', headers: {}, body: Buffer.from('{}') })
  }
  const bridges: { readonly bridge: Bridge; readonly own: Queues }[] = []
  for (let n = 0; n < replicas; n++) {
    const own = await openQueues(options)
    const bridge = await openBridge({
      queues: own,
      secretKey: 'bench',
      graceMs: 1_000,
      highWater: 10_000,
      log: silentLog,
    })
    bridges.push({ bridge, own })
  }
  return {
    name: 'sluiceway',
    async stop() {
      for (const { bridge, own } of bridges) {
        await bridge.close()
        await own.close()
      }
      await queues.control.destroy(topologyId)
      await queues.close()
    },
  }
}
