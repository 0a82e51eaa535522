import { inject } from 'vitest'
import { openBridge } from '../../runtime/bridge/bridge.ts'
import type { Bridge, BridgeOptions } from '../../runtime/bridge/bridge.ts'
import { newId } from '../../runtime/ids.ts'
import type { Outcome } from '../../runtime/protocol/outcome.ts'
import { openOutcomes } from '../../runtime/queue/ledger.ts'
import { openQueues } from '../../runtime/queue/open.ts'
import type { Queues } from '../../runtime/queue/open.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { compilePlan } from '../../runtime/topology/compile.ts'
import type { TopologyDocument } from '../../runtime/topology/schema.ts'
import type { Plan } from '../../runtime/topology/plan.ts'
import { eventually } from './eventually.ts'

export const secretKey = 'a key for the tests'

export interface TestEngine {
  readonly queues: Queues
  readonly namespace: string
  readonly plan: Plan
  /** Id of a node by its name. */
  id(name: string): string
  openBridge(options?: Partial<Pick<BridgeOptions, 'highWater' | 'onHealth'>>): Promise<Bridge>
  /** Puts the worker `w` where it can be called. */
  setWorker(...urls: string[]): Promise<void>
  /** Starts a run with this body; the run's id is the start message's id. */
  start(
    body: string,
    options?: { key?: string; run?: string; headers?: Record<string, string>; tenant?: string },
  ): Promise<string>
  /** Outcomes of the topology from the beginning, until `done` says so. */
  outcomesUntil(done: (outcomes: readonly Outcome[]) => boolean): Promise<Outcome[]>
  close(): Promise<void>
}

type Node = TopologyDocument['nodes'][number]

/** Queues and bridges for one topology of its own, without control and Postgres: start → the given nodes, in a chain unless edges are given. */
export async function startEngine(
  nodes: readonly Partial<Node>[],
  edges: TopologyDocument['edges'] = chain(nodes),
  topologyId = newId(),
  natsUrl = inject('natsUrl'),
  namespace = `t_${newId()}`,
): Promise<TestEngine> {
  const queues = await openQueues({
    url: natsUrl,
    name: 'test',
    namespace,
    replicas: 1,
    log: silentLog,
  })
  const plan = makePlan(nodes, edges, 1, topologyId)
  await queues.control.ensure(plan)
  await queues.control.putPlan(plan)
  const bridges: Bridge[] = []
  const id = (name: string): string => plan.nodes.find((node) => node.name === name)?.id ?? ''
  return {
    queues,
    namespace,
    plan,
    id,
    async openBridge(options = {}) {
      const bridge = await openBridge({
        queues,
        secretKey,
        graceMs: 1_000,
        highWater: 10_000,
        log: silentLog,
        ...options,
      })
      bridges.push(bridge)
      return bridge
    },
    setWorker: (...urls) =>
      queues.control.putWorker({ name: 'w', urls, dialect: 'native', version: 1, secret: null, timeoutMs: null }),
    async start(body, options = {}) {
      const run = options.run ?? newId()
      await queues.control.start({
        topologyId: plan.topologyId,
        nodeId: id('start'),
        key: options.key ?? run,
        run,
        tenant: options.tenant ?? null,
        contentType: 'application/json',
        headers: options.headers ?? {},
        trace: null,
        body: Buffer.from(body),
      })
      return run
    },
    outcomesUntil: (done) => outcomesUntil(queues, plan, done),
    async close() {
      await Promise.all(bridges.map((bridge) => bridge.close()))
      // A server that was just restarted takes its time, and a large stream does, too.
      const destroy = () => queues.control.destroy(plan.topologyId)
      await eventually('the stream is deleted', destroy, { timeoutMs: 30_000 })
      await queues.close()
    },
  }
}

function makePlan(nodes: readonly Partial<Node>[], edges = chain(nodes), revision = 1, topologyId = newId()): Plan {
  const document = {
    name: `t-${topologyId}`,
    nodes: [{ name: 'start', type: 'start' }, ...nodes.map((node) => ({ type: 'custom', worker: 'w', ...node }))],
    edges,
  } as TopologyDocument
  const nodeIds = new Map(document.nodes.map(({ name }) => [name, newId()]))
  return compilePlan({ topologyId, revision, document, nodeIds, stored: new Map() })
}

function chain(nodes: readonly Partial<Node>[]): TopologyDocument['edges'] {
  const names = ['start', ...nodes.map((node) => node.name ?? '')]
  return names.slice(1).map((to, index) => ({ from: names[index] ?? '', to }))
}

async function outcomesUntil(
  queues: Queues,
  plan: Plan,
  done: (outcomes: readonly Outcome[]) => boolean,
): Promise<Outcome[]> {
  const reader = await openOutcomes(queues.connection, plan.topologyId, 0, silentLog)
  const outcomes: Outcome[] = []
  try {
    while (!done(outcomes)) {
      const next = await reader.next()
      if (next === null) throw new Error('the outcomes ended')
      outcomes.push(...next.outcomes)
    }
    return outcomes
  } finally {
    await reader.close()
  }
}

/** True when as many messages are settled as there were: what I6 says of a finished run. */
export function isDrained(outcomes: readonly Outcome[]): boolean {
  let inProgress = 0
  for (const outcome of outcomes) {
    if (outcome.kind === 'started' || outcome.kind === 'replayed') inProgress++
    if (outcome.kind === 'split') inProgress += outcome.delta
    if (outcome.kind === 'ended' || outcome.kind === 'trashed') inProgress--
  }
  return outcomes.length > 0 && inProgress === 0
}
