import type { z } from '@hono/zod-openapi'
import { Unavailable, textOf } from '../../../errors.ts'
import type { Heartbeat } from '../../../queue/control.ts'
import type { HistoryReport } from '../../../queue/janitor/janitor.ts'
import { needingAttention } from '../../../store/attention.ts'
import { nodePlaces } from '../../../store/queries/nodes.ts'
import { listPublished, publishedTotals, revisionsInForce } from '../../../store/queries/topologies.ts'
import type { InForce, TopologyHead } from '../../../store/queries/topologies.ts'
import { openTrash } from '../../../store/trash/groups.ts'
import type { ApiDeps } from '../../deps.ts'
import { attentionKinds, attentionMax } from '../../schemas/system.ts'
import type * as schemas from '../../schemas/system.ts'
import { knownBridges } from './health.ts'
import { pausedLimits } from './paused.ts'
import { placesOf, troublesOf } from './trouble.ts'
import type { Places } from './trouble.ts'

type Status = z.infer<typeof schemas.status>
type TopologyStatus = Status['topologies'][number]
type AttentionKind = TopologyStatus['attention'][number]

/** The answer, or why there is none: a part that is away is what these routes are for. */
export async function attempt<T>(
  work: () => Promise<T>,
): Promise<{ value: T; why: null } | { value: null; why: string }> {
  try {
    return { value: await work(), why: null }
  } catch (error) {
    if (error instanceof Unavailable) return { value: null, why: textOf(error) }
    throw error
  }
}

/** How the engine is. It takes as long whatever is published: of topologies it has numbers, and the worst; read are the revisions of all. */
export async function statusOf(deps: ApiDeps): Promise<Status> {
  const { queues, version } = deps
  const [nats, bridges] = await Promise.all([attempt(() => queues.status()), knownBridges(deps)])
  const places = await placesOf(deps, bridges)
  const paused = await pausedLimits(deps)
  const [topologies, inForce] = await Promise.all([
    attempt(() => worstOf(deps, places)),
    attempt(() => revisionsInForce(deps.store)),
  ])
  const troubles = troublesOf(deps.secretKey, bridges, places)
  return {
    version,
    nats: {
      connected: nats.value?.connected ?? false,
      detail: nats.why,
      version: nats.value?.version ?? null,
      streams: nats.value?.streams ?? null,
      bytes: nats.value?.bytes ?? null,
      limitBytes: nats.value?.limitBytes ?? null,
      copies: nats.value?.copies ?? null,
      isCluster: nats.value?.isCluster ?? null,
    },
    postgres: { connected: topologies.why === null, detail: topologies.why },
    bridges: bridges.map((bridge) => showBridge(bridge, inForce.value, troubles.get(bridge.id) ?? [])),
    pausedLimits: paused,
    topologies: topologies.value?.worst ?? [],
    totals: topologies.value?.totals ?? null,
  }
}

function showBridge(
  { id, host, pid, startedAt, rssBytes, version, revisions }: Heartbeat,
  inForce: readonly InForce[] | null,
  trouble: Status['bridges'][number]['trouble'],
): Status['bridges'][number] {
  const behind = inForce?.filter((one) => (revisions[one.id] ?? 0) < one.revision).length ?? null
  return { id, host, pid, startedAt, rssBytes, version: version ?? null, behind, trouble }
}

async function worstOf(deps: ApiDeps, places: Places): Promise<{ worst: TopologyStatus[]; totals: Status['totals'] }> {
  const { store } = deps
  const known = knownOf(deps, places)
  const ranks = [...known].map(([id, kinds]) => [id, Math.max(...kinds.map((kind) => attentionKinds.indexOf(kind)))])
  const [totals, { worst, count, openTrash }] = await Promise.all([
    publishedTotals(store),
    needingAttention(store, new Map(ranks as [string, number][]), attentionMax),
  ])
  return { worst: await shown(deps, worst, known), totals: { ...totals, needAttention: count, openTrash } }
}

/** How published topologies are, by name; `after` is the last name of the page before. Throws `Unavailable`. */
export async function topologyStatuses(deps: ApiDeps, limit: number, after: string | null): Promise<TopologyStatus[]> {
  const heads = await listPublished(deps.store, after === null ? {} : { after }, limit)
  const ids = heads.map(({ id }) => id)
  const [trash, known] = await Promise.all([openTrash(deps.store, ids), attentionBeside(deps)])
  const rows = heads.map((head) => ({ ...head, openTrash: trash.get(head.id) ?? 0 }))
  return shown(deps, rows, known)
}

/** Why somebody has to look at topologies, but for open Trash, by id. */
export async function attentionBeside(deps: ApiDeps): Promise<Map<string, AttentionKind[]>> {
  const bridges = await knownBridges(deps)
  return knownOf(deps, await placesOf(deps, bridges))
}

/** What is known of topologies beside Postgres, by id: what bridges hold back, and what the janitor found. */
function knownOf({ histories }: ApiDeps, places: Places): Map<string, AttentionKind[]> {
  const known = new Map<string, AttentionKind[]>()
  const add = (id: string, kind: AttentionKind): void => void known.set(id, [...(known.get(id) ?? []), kind])
  for (const [id, { isFull }] of histories()) if (isFull) add(id, 'queues-full')
  for (const id of new Set([...places.values()].map(({ topologyId }) => topologyId))) add(id, 'breaker')
  for (const [id, { heldBack }] of histories()) if (heldBack !== null) add(id, 'held-back')
  return known
}

async function shown(
  { store, histories }: ApiDeps,
  rows: readonly (TopologyHead & { readonly openTrash: number })[],
  known: ReadonlyMap<string, readonly AttentionKind[]>,
): Promise<TopologyStatus[]> {
  const reports = histories()
  const holders = rows.flatMap(({ id }) => reports.get(id)?.heldBack?.nodeId ?? [])
  const names = await nodePlaces(store, holders)
  return rows.map(({ id, name, revision, enabled, paused, openTrash }) => ({
    ...{ id, name, revision, enabled, paused, openTrash },
    history: showHistory(reports.get(id) ?? null, names),
    attention: [...(known.get(id) ?? []), ...(openTrash > 0 ? (['trash'] as const) : [])],
  }))
}

function showHistory(report: HistoryReport | null, names: Places): TopologyStatus['history'] {
  if (report === null) return null
  const { bytes, oldestAt, isFull, heldBack } = report
  const common = { bytes, oldestAt: oldestAt?.toISOString() ?? null, isFull }
  if (heldBack === null) return { ...common, heldBack }
  const node = names.get(heldBack.nodeId ?? '')?.node ?? null
  return { ...common, heldBack: { ...heldBack, node, since: heldBack.since?.toISOString() ?? null } }
}
