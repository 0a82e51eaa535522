import { Unavailable } from '../../../errors.ts'
import type { Limited } from '../../../queue/limits/told.ts'
import { positionsOf } from '../../../store/outcomes.ts'
import { publishedTotals } from '../../../store/queries/topologies.ts'
import type { TopologyHead } from '../../../store/queries/topologies.ts'
import { openTrash } from '../../../store/trash/groups.ts'
import type { Family, Sample } from '../../../telemetry/metrics.ts'
import type { MetricName } from '../../../telemetry/metric-table.ts'
import type { ApiDeps } from '../../deps.ts'
import { newestPlan } from '../plans.ts'
import { activeOf } from './active.ts'
import type { Signs } from './active.ts'
import { eachOf } from './each.ts'
import { askAround, factsOf } from './facts.ts'
import type { TopologyFacts } from './facts.ts'

type Deps = Pick<ApiDeps, 'store' | 'queues' | 'histories'>

/** Several who scrape at once, and soon after each other, get the same. */
const freshMs = 2_000
/** Topologies that are looked at side by side. */
const atOnce = 8
/** So many topologies have series of their queues at most, and so many of their Trash; how many are left out is told. */
const seriesMax = 500

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
  const { store, queues } = deps
  const [nats, postgres, trash, around, marks, totals, limited] = await Promise.all([
    orAway(() => queues.status()),
    orAway(() => store.ping().then(() => true)),
    orAway(() => openTrash(store)),
    orAway(() => askAround(deps, null)),
    orAway(() => queues.marks()),
    orAway(() => publishedTotals(store)),
    orAway(() => queues.limited()),
  ])
  const samples = new Samples()
  samples.add('sluice_nats_connected', {}, nats?.connected === true ? 1 : 0)
  samples.add('sluice_postgres_connected', {}, postgres === true ? 1 : 0)
  if (nats !== null) samples.add('sluice_nats_stored_bytes', {}, nats.bytes)
  if (around !== null) samples.add('sluice_bridges_live', {}, around.looks.live.length)
  if (limited !== null) ofLimits(limited, samples)
  if (totals === null) return samples.families()
  samples.add('sluice_topologies_published', {}, totals.published)
  const signs = { published: totals.published, marks, trash, paused: around?.paused ?? null }
  await orAway(() => ofTopologies(deps, signs, around, samples))
  return samples.families()
}

function ofLimits(limited: ReadonlyMap<string, Limited>, samples: Samples): void {
  samples.open('sluice_limit_paused_keys')
  const paused = new Map<string, number>()
  for (const { key, until } of limited.values()) {
    if (key.kind === 'node') continue
    paused.set(key.service, (paused.get(key.service) ?? 0) + (Date.parse(until) > Date.now() ? 1 : 0))
  }
  for (const [service, count] of paused) samples.add('sluice_limit_paused_keys', { service }, count)
}

async function ofTopologies(deps: Deps, signs: Signs, around: Around | null, samples: Samples): Promise<void> {
  const { marks, trash } = signs
  const active = await activeOf(deps.store, signs)
  if (trash !== null) {
    for (const { id, name } of bounded(active.trash, 'trash', samples))
      samples.add('sluice_trash_open_messages', { topology: name }, trash.get(id) ?? 0)
  }
  if (around === null || marks === null) return
  const looked = bounded(active.queues, 'queues', samples)
  const ids = looked.map(({ id }) => id)
  const seen = { around, marks, positions: await positionsOf(deps.store, ids) }
  await eachOf(looked, atOnce, (topology) => orAway(() => ofTopology(deps, topology, seen, samples)))
}

function bounded(all: readonly TopologyHead[], of: string, samples: Samples): readonly TopologyHead[] {
  samples.add('sluice_topologies_left_out', { of }, Math.max(0, all.length - seriesMax))
  return all.slice(0, seriesMax)
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

type Around = Awaited<ReturnType<typeof askAround>>

/** What is asked once for all topologies. */
interface Seen {
  readonly around: Around
  readonly marks: NonNullable<Signs['marks']>
  readonly positions: Awaited<ReturnType<typeof positionsOf>>
}

async function ofTopology(
  deps: Deps,
  topology: TopologyHead,
  { around, marks, positions }: Seen,
  samples: Samples,
): Promise<void> {
  const plan = await newestPlan(deps.store, topology)
  if (plan === null) return
  const [facts, lag] = await Promise.all([
    factsOf(deps, topology, plan, around),
    recorderLag(deps, topology.id, positions.get(topology.id)),
  ])
  const labels = { topology: topology.name }
  samples.add('sluice_stream_bytes', labels, marks.get(topology.id)?.bytes ?? 0)
  samples.add('sluice_stream_held_back_bytes', labels, deps.histories().get(topology.id)?.heldBack?.bytes ?? 0)
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

async function recorderLag(
  { queues }: Deps,
  topologyId: string,
  applied: { readonly epoch: string; readonly position: number } | undefined,
): Promise<number> {
  const outcome = await queues.lastOutcome(topologyId)
  if (outcome === null) return 0
  const recorded = applied?.epoch === outcome.epoch ? applied.position : 0
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

  /** It is told of, also when it has no series. */
  open(name: MetricName): void {
    this.#families.set(name, [])
  }

  families(): Family[] {
    return [...this.#families]
  }
}
