import { createRoute } from '@hono/zod-openapi'
import type { z } from '@hono/zod-openapi'
import { Unavailable } from '../../errors.ts'
import type { Heartbeat } from '../../queue/control.ts'
import type { LimitKey } from '../../queue/limits/told.ts'
import { gatesOf } from '../../store/queries/starts/gates.ts'
import type { Gate } from '../../store/queries/starts/gates.ts'
import { queuedOf } from '../../store/queries/starts/written.ts'
import { getNode, listNodes } from '../../store/queries/nodes.ts'
import type { Node } from '../../store/queries/nodes.ts'
import { getTopology } from '../../store/queries/topologies.ts'
import type { Topology } from '../../store/queries/topologies.ts'
import { allWorkers } from '../../store/queries/workers.ts'
import { resolveValues } from '../../topology/values.ts'
import type { NodeDefaults } from '../../topology/values.ts'
import { eventNodeTypes, isEventNode, nodeDefaults, overlapOf } from '../../topology/plan.ts'
import type { EventNode, Plan, PlanNode } from '../../topology/plan.ts'
import type { DocumentNode, TopologyDocument } from '../../topology/schema.ts'
import { changeNode, draftOf } from '../actions/drafts.ts'
import type { PauseChange } from '../actions/drafts.ts'
import { showFiring } from '../actions/firing/show.ts'
import { knownBridges, nodeHealth } from '../actions/health/health.ts'
import { pausedBy, pauseOf } from '../actions/pauses.ts'
import { defaultsOf, newestPlan } from '../actions/plans.ts'
import { changes, checkTopology, needs } from '../auth.ts'
import { ifMatch, setEtag } from '../input/conditional.ts'
import type { Api, ApiDeps, Caller } from '../deps.ts'
import { body, idParam, json, topologyParam } from '../schemas/common.ts'
import * as schemas from '../schemas/topologies.ts'
import { topologyOf } from './topologies.ts'

const tags = ['Nodes']

const list = createRoute({
  ...needs('read'),
  operationId: 'listNodes',
  tags,
  summary: 'List the nodes of a draft',
  method: 'get',
  path: '/api/topologies/{topology}/nodes',
  request: { params: topologyParam },
  responses: { 200: { description: 'In the order of the document', content: json(schemas.nodeList) } },
})

const get = createRoute({
  ...needs('read', { topologyBy: 'handler' }),
  operationId: 'getNode',
  tags,
  summary: 'Get a node',
  method: 'get',
  path: '/api/nodes/{id}',
  request: { params: idParam },
  responses: { 200: { description: 'The node', content: json(schemas.node) } },
})

const patch = createRoute({
  ...changes('operate', 'changeNode', { topologyBy: 'handler' }),
  tags,
  summary: 'Change stored values of a node, or pause it',
  description:
    'Stored values set `bridgeOutOfSync` on the topology: bridges keep the published values until a republish. `paused` acts at once; false also ends what its worker asked it to wait for with 429, where it names no service.',
  method: 'patch',
  path: '/api/nodes/{id}',
  request: { params: idParam, body: body(schemas.nodePatch) },
  responses: { 200: { description: 'Changed', content: json(schemas.node) } },
  'x-problems': [412],
})

export function nodeRoutes(app: Api, deps: ApiDeps): void {
  const { store, events } = deps
  app.openapi(list, async (c) => {
    const topology = await topologyOf(deps, c.get('caller'), c.req.valid('param').topology)
    const [nodes, show] = await Promise.all([listNodes(store, topology.id, true), shower(deps, topology)])
    const shown = nodes.map((node) => ({ node: show(node), inDraft: node.inDraft }))
    const drawn = shown.filter(({ inDraft }) => inDraft)
    const leaving = shown.filter(({ node, inDraft }) => !inDraft && node.leaving !== null)
    return c.json({ items: [...drawn, ...leaving].map(({ node }) => node) }, 200)
  })
  app.openapi(get, async (c) => {
    const node = await nodeOf(deps, c.get('caller'), c.req.valid('param').id)
    const show = await shower(deps, await getTopology(store, node.topologyId))
    setEtag(c, node.version)
    return c.json(show(node), 200)
  })
  app.openapi(patch, async (c) => {
    const { paused, ...values } = c.req.valid('json')
    const { id } = await nodeOf(deps, c.get('caller'), c.req.valid('param').id)
    const pause = paused === undefined ? null : await pauseChange(deps, id, paused ? pausedBy(c.get('caller')) : null)
    const changing = { store, audit: c.get('audit') }
    const { node, topology } = await changeNode(changing, id, given(values), ifMatch(c), pause)
    events.emit({ kind: 'draft', topologyId: topology.id })
    setEtag(c, node.version)
    return c.json((await shower(deps, topology))(node), 200)
  })
}

/** Finds a node for a caller who may use its topology. Throws `NotFound`, 403. */
export async function nodeOf({ store }: Pick<ApiDeps, 'store'>, caller: Caller, id: string): Promise<Node> {
  const node = await getNode(store, id)
  checkTopology(caller, node.topologyId)
  return node
}

async function pauseChange({ queues }: ApiDeps, id: string, reason: string | null): Promise<PauseChange> {
  const before = (await queues.paused()).get(id) ?? null
  if (reason !== null) return { before, after: reason, lifted: null, tell: () => queues.setPaused(id, reason) }
  const isOwn = (key: LimitKey): boolean => key.kind === 'node' && key.nodeId === id
  const asked = [...(await queues.limited()).values()].find(({ key }) => isOwn(key))?.until
  const tell = async (): Promise<void> => {
    await queues.setPaused(id, null)
    await queues.liftLimited(isOwn)
  }
  return { before, after: null, lifted: asked !== undefined && Date.parse(asked) > Date.now() ? asked : null, tell }
}

type Values = Omit<z.infer<typeof schemas.nodePatch>, 'paused'>

/** Without the keys that weren't sent. */
function given(values: Values): Parameters<typeof changeNode>[2] {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}

type Shown = z.infer<typeof schemas.node>

/** Reads once what showing the nodes of a topology takes. */
async function shower(deps: ApiDeps, topology: Topology): Promise<(node: Node) => Shown> {
  const [newest, paused, bridges, workers, nodes, gates] = await Promise.all([
    newestPlan(deps.store, topology),
    pausedNodes(deps),
    knownBridges(deps),
    allWorkers(deps.store),
    listNodes(deps.store, topology.id, true),
    gatesOf(deps.store, topology.id),
  ])
  const queued = await queuedOf(deps.store, [...gates.keys()])
  const leaving = new Map(newest?.nodes.filter((node) => node.leaving !== undefined).map((node) => [node.id, node]))
  const defaults = defaultsOf(draftOf(topology), workers)
  const ids = new Map(nodes.map((node) => [node.name, node.id]))
  return (node) =>
    showNode(node, topology, {
      plan: topology.visibility === 'public' ? newest : null,
      paused,
      bridges,
      defaults: defaults.get(node.name) ?? {},
      ids,
      leaving: leaving.get(node.id) ?? null,
      gate: gates.get(node.id) ?? null,
      queued: queued.get(node.id) ?? 0,
    })
}

/** Null when NATS is away: what is stored can be shown without it. */
async function pausedNodes({ queues }: ApiDeps): Promise<Map<string, string> | null> {
  try {
    return await queues.paused()
  } catch (error) {
    if (error instanceof Unavailable) return null
    throw error
  }
}

interface Around {
  readonly paused: Map<string, string> | null
  readonly bridges: readonly Heartbeat[]
  readonly defaults: NodeDefaults
  readonly ids: ReadonlyMap<string, string>
  /** In force; null while the topology is a draft. */
  readonly plan: Plan | null
  /** The node as the plan has it, if it leaves. */
  readonly leaving: PlanNode | null
  readonly gate: Gate | null
  /** Its runs that wait. */
  readonly queued: number
}

const noValues = {
  prefetch: null,
  partitions: null,
  partitionKey: null,
  timeoutMs: null,
  inPlaceMaxMs: null,
  onFail: null,
}

/** What a republish would put in force; of `retry` what is stored of it. */
function valuesOf(node: Node, drawn: DocumentNode | undefined, defaults: NodeDefaults) {
  const partitions = drawn?.partitions ?? nodeDefaults.partitions
  const { retry: _, ...values } = resolveValues(partitions, [{ ...node, retry: null }], defaults)
  return { ...values, partitions, partitionKey: drawn?.partitionKey ?? defaults.partitionKey ?? null }
}

/** What bridges go by. */
function publishedOf(plan: Plan | null, nodeId: string): Shown['published'] {
  const node = plan?.nodes.find(({ id }) => id === nodeId)
  if (!plan || !node) return null
  const { revision } = plan
  const none = { prefetch: null, timeoutMs: null, retry: null, inPlaceMaxMs: null, onFail: null }
  if (isEventNode(node)) return { revision, ...none, ...publishedStarts(node) }
  const { prefetch, timeoutMs, retry, inPlaceMaxMs, onFail } = node
  return {
    revision,
    prefetch,
    timeoutMs,
    retry: { ...retry, on: retry.on.length === 0 ? ['default'] : [...retry.on] },
    inPlaceMaxMs,
    onFail,
    ...noStarts,
  }
}

const noStarts = { cron: null, timezone: null, overlap: null, missed: null }

function publishedStarts(node: EventNode) {
  const { cron = null, timezone = null, missed = null } = node.schedule ?? {}
  return { cron, timezone, missed, overlap: node.type === 'webhook' ? null : overlapOf(node) }
}

/** What decides when its runs begin, as stored. */
function startsOf(node: Node, topology: Topology, { gate, queued }: Around) {
  const { type, cron, timezone, overlap, missed, enabled } = node
  if (type !== 'start' && type !== 'cron')
    return { ...noStarts, firing: null, queued: (eventNodeTypes as readonly string[]).includes(type) ? queued : null }
  if (type === 'start') return { ...noStarts, overlap: overlap ?? ('allow' as const), firing: null, queued }
  const active = topology.visibility === 'public' && topology.enabled && enabled
  return {
    ...{
      cron,
      timezone: timezone ?? 'UTC',
      overlap: overlap ?? ('skip' as const),
      missed: missed ?? ('once' as const),
    },
    firing: showFiring(gate, active),
    queued,
  }
}

function showNode(node: Node, topology: Topology, around: Around): Shown {
  const { paused, bridges, defaults, plan, leaving } = around
  const { id, topologyId, name, enabled, retry } = node
  const document = draftOf(topology)
  const drawn = document.nodes.find((each) => each.name === name)
  const event = (eventNodeTypes as readonly string[]).includes(node.type)
  return {
    id,
    topologyId,
    name,
    type: node.type as Shown['type'],
    worker: drawn?.worker ?? (leaving && !isEventNode(leaving) ? leaving.worker : null),
    service: drawn?.service ?? defaults.service ?? null,
    limitCost: event ? null : (drawn?.limitCost ?? 1),
    ...(event ? noValues : valuesOf(node, drawn, defaults)),
    retry: retry as Shown['retry'],
    published: publishedOf(plan, id),
    enabled,
    ...pauseOf(id, topology, paused),
    breaker: nodeHealth(id, bridges),
    ...startsOf(node, topology, around),
    leaving: leaving?.leaving ?? null,
    followers: followersOf(node, document, around),
  }
}

/** By the draft; of a node that leaves, by the plan. */
function followersOf({ name }: Node, { edges }: TopologyDocument, { ids, leaving }: Around): Shown['followers'] {
  const names = new Map([...ids].map(([known, id]) => [id, known]))
  if (leaving) return leaving.followers.map((id) => ({ id, name: names.get(id) ?? id }))
  return edges
    .filter(({ from, to }) => from === name && ids.has(to))
    .map(({ to }) => ({ id: ids.get(to) ?? '', name: to }))
}
