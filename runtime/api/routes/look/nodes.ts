import { createRoute } from '@hono/zod-openapi'
import type { z } from '@hono/zod-openapi'
import { figuresOf } from '../../../store/queries/history/figures.ts'
import type { Point } from '../../../store/queries/history/figures.ts'
import { allWorkers } from '../../../store/queries/workers.ts'
import { isEventNode } from '../../../topology/plan.ts'
import type { PlanNode } from '../../../topology/plan.ts'
import { forecastOfNode } from '../../actions/limits/state.ts'
import { askAround, factsOf } from '../../actions/look/facts.ts'
import type { TopologyFacts } from '../../actions/look/facts.ts'
import { shower } from '../../actions/look/messages.ts'
import { placeOf, publishedNode } from '../../actions/look/place.ts'
import type { Place } from '../../actions/look/place.ts'
import { estimateOf, leftOf } from '../../actions/look/estimate.ts'
import { blockersOf } from '../../actions/look/why.ts'
import { has, needs } from '../../auth.ts'
import type { Api, ApiDeps } from '../../deps.ts'
import { idParam, json } from '../../schemas/common.ts'
import * as schemas from '../../schemas/look.ts'

const tags = ['Nodes']

const whyRoute = createRoute({
  ...needs('read', { topologyBy: 'handler' }),
  operationId: 'explainNode',
  tags,
  summary: 'Why the messages of a node wait',
  description:
    'Every class of waiting message with what it waits for, asked of all live bridges at this moment. A bridge that does not answer within a second is named in `bridges.silent`.',
  method: 'get',
  path: '/api/nodes/{id}/why',
  request: { params: idParam },
  responses: { 200: { description: 'What is known now', content: json(schemas.why) } },
})

const peekRoute = createRoute({
  ...needs('read', { topologyBy: 'handler' }),
  operationId: 'peekNode',
  tags,
  summary: 'The next messages in the queue of a node',
  description:
    'In order, without taking them: those that bridges hold and those that wait by their place in the queue, then the delayed ones by their time. At most 32 MiB are read for one answer.',
  method: 'get',
  path: '/api/nodes/{id}/peek',
  request: { params: idParam, query: schemas.peekQuery },
  responses: { 200: { description: 'A page', content: json(schemas.peek) } },
})

const tailRoute = createRoute({
  ...needs('read', { topologyBy: 'handler' }),
  operationId: 'tailNode',
  tags,
  summary: 'What comes into the queue of a node',
  description:
    'Messages that came after a place in the queue, be they finished by now or not. Without `after` there are none, and `next` is the place of now. A place that is older than the history of the queue begins with what is left.',
  method: 'get',
  path: '/api/nodes/{id}/tail',
  request: { params: idParam, query: schemas.tailQuery },
  responses: { 200: { description: 'A page; `next` is always there', content: json(schemas.tail) } },
  'x-problems': [409],
})

const historyRoute = createRoute({
  ...needs('read', { topologyBy: 'handler' }),
  operationId: 'getNodeHistory',
  tags,
  summary: 'What a node did in the last quarter of an hour, or the last day',
  description:
    'Looked at every ten seconds by one of the controls; at most 500 topologies in which something happens are looked at. A node that did nothing has zeros, a step in which no control could look is missing.',
  method: 'get',
  path: '/api/nodes/{id}/history',
  request: { params: idParam, query: schemas.historyQuery },
  responses: { 200: { description: 'What was seen', content: json(schemas.nodeHistory) } },
})

export function nodeLookRoutes(app: Api, deps: ApiDeps): void {
  app.openapi(whyRoute, async (c) =>
    c.json(await explain(deps, await placeOf(deps, c.get('caller'), c.req.valid('param').id)), 200),
  )
  app.openapi(peekRoute, async (c) => {
    const place = await placeOf(deps, c.get('caller'), c.req.valid('param').id)
    return c.json(await peek(deps, place, c.req.valid('query'), has(c.get('caller'), 'payload')), 200)
  })
  app.openapi(historyRoute, async (c) => {
    const { row } = await placeOf(deps, c.get('caller'), c.req.valid('param').id)
    const { range } = c.req.valid('query')
    const stepSeconds = schemas.historyRanges[range]
    const points = await figuresOf(deps.store, row.id, stepSeconds, new Date(Date.now() - rangeMs[range]))
    return c.json({ nodeId: row.id, stepSeconds, points: points.map(showPoint) }, 200)
  })
  app.openapi(tailRoute, async (c) => {
    const { plan, node } = publishedNode(await placeOf(deps, c.get('caller'), c.req.valid('param').id))
    const { limit, after, bytes } = c.req.valid('query')
    const from = after === undefined ? null : Number(after)
    const { items, next } = await deps.queues.tail(plan.topologyId, node, from, limit)
    return c.json({ items: items.map(shower(has(c.get('caller'), 'payload'), bytes)), next: String(next) }, 200)
  })
}

const rangeMs = { '15m': 15 * 60_000, '24h': 24 * 3_600_000 } as const

function showPoint({ at, perSecond, ...counts }: Point) {
  return { at: at.toISOString(), ...counts, ratePerSecond: Math.round(perSecond * 100) / 100 }
}

async function explain(deps: ApiDeps, place: Place): Promise<z.infer<typeof schemas.why>> {
  const { row, topology, plan, node } = place
  const now = Date.now()
  const common = {
    topology: topology.name,
    topologyId: topology.id,
    node: row.name,
    nodeId: row.id,
    at: new Date(now).toISOString(),
  }
  const around = await askAround(deps, topology.id, row.id)
  const facts = plan === null ? null : await factsOf(deps, topology, plan, around)
  const own = facts?.nodes.find((each) => each.node.id === row.id)
  if (facts === null || own === undefined || node === null) return { ...common, ...nothing(around.looks.live) }
  const left = { topology: topology.name, node: node.name, messages: leftOf(own) }
  const [workerUrls, isCancelling, limits] = await Promise.all([
    urlsOf(deps, node),
    deps.queues.isCancelling(topology.id, null),
    isEventNode(node) || node.service === null || left.messages === 0
      ? null
      : forecastOfNode(deps, node.service, left, now),
  ])
  const blockers = blockersOf(own, { ...facts, workerUrls, isCancelling })
  return {
    ...common,
    pending: own.depth.pending,
    inFlight: own.depth.inFlight,
    delayed: own.delays.length,
    replies: own.depth.replies,
    calls: own.calls,
    blockers,
    estimate: estimateOf(own, blockers, limits, now),
    bridges: { live: facts.live.map(({ id }) => id), silent: [...facts.silent] },
    notes: notesOf(facts),
  }
}

function nothing(live: TopologyFacts['live']) {
  return {
    pending: 0,
    inFlight: 0,
    delayed: 0,
    replies: 0,
    calls: null,
    blockers: [],
    estimate: { secondsLeft: 0, doneAt: null, ratePerSecond: 0, by: 'nothing-waits' as const, reason: null },
    bridges: { live: live.map(({ id }) => id), silent: [] },
    notes: ['the node is not in a published plan: nothing can wait before it'],
  }
}

async function urlsOf({ store }: ApiDeps, node: PlanNode): Promise<readonly string[] | null> {
  if (isEventNode(node)) return null
  return (await allWorkers(store)).find(({ name }) => name === node.worker)?.urls ?? null
}

function notesOf({ topology, plan, live, silent, areDelaysComplete }: TopologyFacts): string[] {
  const behind = live.filter(({ revisions }) => {
    const has = revisions[plan.topologyId] ?? 0
    return topology.visibility === 'public' && has > 0 && has < plan.revision
  })
  return [
    ...behind.map(({ id, host }) => `bridge ${id} on ${host} has an older plan than revision ${plan.revision}`),
    ...silent.map((id) => `bridge ${id} did not answer: what it holds is not known`),
    ...(topology.bridgeOutOfSync ? ['stored values of nodes are not published: a republish brings them'] : []),
    ...(areDelaysComplete ? [] : ['there are more delayed messages than were looked at']),
  ]
}

async function peek(
  { queues }: ApiDeps,
  { topology, plan, node }: Place,
  { limit, after, state, bytes }: z.output<typeof schemas.peekQuery>,
  withPayload: boolean,
): Promise<z.infer<typeof schemas.peek>> {
  if (plan === null || node === null) return { items: [], next: null }
  const show = shower(withPayload, bytes)
  const states = { waiting: state !== 'held' && state !== 'delayed', held: state !== 'waiting' && state !== 'delayed' }
  const { looks } = await queues.look({ topologyId: topology.id, nodeId: node.id })
  const holdings = looks.flatMap(({ nodes }) => nodes).flatMap((look) => look.holdings)
  const held = new Set(holdings.flatMap(({ isReply, sequences }) => (isReply ? [] : sequences)))
  const wanted = { held, after: Number(after ?? 0), limit, states }
  const isQueueWanted = states.waiting || states.held
  const found = isQueueWanted ? await queues.peek(topology.id, node, wanted) : { items: [], more: false }
  const items = found.items.map((one) => ({ ...show(one), state: one.state, at: null }))
  const last = items.at(-1)
  if (found.more && last !== undefined) return { items, next: String(last.sequence) }
  const isDelayedWanted = state === undefined || state === 'delayed'
  const delayed = isDelayedWanted ? await delayedOf(queues, topology.id, node.id, limit - items.length) : []
  return {
    items: [...items, ...delayed.map(({ at, stored }) => ({ ...show(stored), state: 'delayed' as const, at }))],
    next: null,
  }
}

/** The soonest ones. What has fired since they were listed is in the queue by now. */
async function delayedOf(queues: ApiDeps['queues'], topologyId: string, nodeId: string, limit: number) {
  const delays = (await queues.delays(topologyId)).nodes.get(nodeId) ?? []
  const found = await Promise.all(
    delays.slice(0, limit).map(async ({ sequence, at }) => {
      const stored = await queues.message(topologyId, nodeId, sequence)
      return stored === null ? [] : [{ at, stored }]
    }),
  )
  return found.flat()
}
