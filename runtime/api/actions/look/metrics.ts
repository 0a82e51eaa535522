import { Unavailable } from '../../../errors.ts'
import { position } from '../../../store/outcomes.ts'
import { publicTopologies } from '../../../store/queries/topologies.ts'
import type { Topology } from '../../../store/queries/topologies.ts'
import { openTrash } from '../../../store/trash/groups.ts'
import type { Family, Sample } from '../../../telemetry/metrics.ts'
import type { MetricName } from '../../../telemetry/metric-table.ts'
import type { ApiDeps } from '../../deps.ts'
import { newestPlan } from '../plans.ts'
import { askAround, factsOf } from './facts.ts'
import type { TopologyFacts } from './facts.ts'

type Deps = Pick<ApiDeps, 'store' | 'queues' | 'historyOf'>

/** Several who scrape at once, and soon after each other, get the same. */
const freshMs = 2_000
/** Topologies that are looked at side by side. */
const atOnce = 8

/** What a control tells Prometheus: asked when it is scraped. Parts that are away are told as such, and what they know is left out. */
export function controlMetrics(deps: Deps): () => Promise<Family[]> {
  let known: { readonly at: number; readonly families: Promise<Family[]> } | null = null
  return () => {
    const now = performance.now()
    if (known === null || now - known.at > freshMs) known = { at: now, families: gather(deps) }
    return known.families
  }
}

async function gather(deps: Deps): Promise<Family[]> {
  const [nats, postgres, trash, looks] = await Promise.all([
    orAway(() => deps.queues.status()),
    orAway(() => deps.store.ping().then(() => true)),
    orAway(() => openTrash(deps.store)),
    orAway(() => askAround(deps, null)),
  ])
  const topologies = (await orAway(() => publicTopologies(deps.store))) ?? []
  const samples = new Samples()
  samples.add('sluice_nats_connected', {}, nats?.connected === true ? 1 : 0)
  samples.add('sluice_postgres_connected', {}, postgres === true ? 1 : 0)
  if (nats !== null) samples.add('sluice_nats_stored_bytes', {}, nats.bytes)
  if (looks !== null) samples.add('sluice_bridges_live', {}, looks.looks.live.length)
  for (const { id, name } of trash === null ? [] : topologies)
    samples.add('sluice_trash_open_messages', { topology: name }, trash?.get(id) ?? 0)
  if (looks !== null)
    await eachOf(topologies, async (topology) => void (await orAway(() => ofTopology(deps, topology, looks, samples))))
  return samples.families()
}

/** Null when a part is away. */
async function orAway<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Unavailable) return null
    throw error
  }
}

async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = items.values()
  const run = async (): Promise<void> => {
    for (const item of left) await work(item)
  }
  await Promise.all(Array.from({ length: atOnce }, run))
}

async function ofTopology(
  deps: Deps,
  topology: Topology,
  around: Awaited<ReturnType<typeof askAround>>,
  samples: Samples,
): Promise<void> {
  const plan = await newestPlan(deps.store, topology)
  if (plan === null) return
  const [facts, { bytes }, lag] = await Promise.all([
    factsOf(deps, topology, plan, around),
    deps.queues.backlog(topology.id),
    recorderLag(deps, topology.id),
  ])
  const labels = { topology: topology.name }
  samples.add('sluice_stream_bytes', labels, bytes)
  samples.add('sluice_stream_held_back_bytes', labels, deps.historyOf(topology.id)?.heldBack?.bytes ?? 0)
  samples.add('sluice_recorder_lag_seconds', labels, lag)
  ofNodes(facts, samples)
}

function ofNodes({ topology, nodes }: TopologyFacts, samples: Samples): void {
  for (const { node, depth, delays, oldestAt, pause } of nodes) {
    const labels = { topology: topology.name, node: node.name }
    const counts = {
      pending: depth.pending,
      in_flight: depth.inFlight,
      delayed: delays.length,
      replies: depth.replies,
    }
    for (const [state, count] of Object.entries(counts))
      samples.add('sluice_queue_messages', { ...labels, state }, count)
    samples.add('sluice_queue_oldest_seconds', labels, oldestAt === null ? 0 : secondsSince(oldestAt))
    samples.add('sluice_node_paused', labels, pause.paused === true ? 1 : 0)
  }
}

const secondsSince = (time: Date): number => Math.max(0, (Date.now() - time.getTime()) / 1_000)

async function recorderLag({ store, queues }: Deps, topologyId: string): Promise<number> {
  const outcome = await queues.lastOutcome(topologyId)
  if (outcome === null) return 0
  const recorded = await position(store, topologyId, outcome.epoch)
  const oldest = recorded < outcome.sequence ? await queues.outcomeAfter(topologyId, recorded) : null
  return oldest === null ? 0 : secondsSince(oldest)
}

/** Series by the metric they belong to. */
class Samples {
  readonly #families = new Map<MetricName, Sample[]>()

  add(name: MetricName, labels: Sample['labels'], value: number): void {
    const known = this.#families.get(name)
    if (known === undefined) this.#families.set(name, [{ labels, value }])
    else known.push({ labels, value })
  }

  families(): Family[] {
    return [...this.#families]
  }
}
