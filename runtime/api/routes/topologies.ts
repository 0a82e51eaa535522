import { isDeepStrictEqual } from 'node:util'
import { createRoute } from '@hono/zod-openapi'
import { Conflict, NotFound } from '../../errors.ts'
import { lockGates } from '../../store/queries/starts/gates.ts'
import {
  deleteDraft,
  getTopology,
  listTopologies,
  lockTopology,
  refuseChanged,
  updateTopology,
} from '../../store/queries/topologies.ts'
import type { Topology, TopologyChange } from '../../store/queries/topologies.ts'
import type { z } from '@hono/zod-openapi'
import { createTopology, documentOf, draftOf, replaceDraft } from '../actions/drafts.ts'
import { beginDiscard, onTheirWay } from '../actions/discard/discard.ts'
import { pausedBy } from '../actions/pauses.ts'
import { unpublish } from '../actions/publish.ts'
import { ofTopology } from '../access/targets.ts'
import { changes, checkTopology, needs } from '../auth.ts'
import { ifMatch, setEtag } from '../input/conditional.ts'
import type { Api, ApiDeps, Caller, Changing } from '../deps.ts'
import { afterText, page, pageQuery } from '../input/paging.ts'
import { body, json, topologyParam } from '../schemas/common.ts'
import * as schemas from '../schemas/topologies.ts'

const tags = ['Topologies']

const list = createRoute({
  ...needs('read'),
  operationId: 'listTopologies',
  tags,
  summary: 'List topologies by name',
  method: 'get',
  path: '/api/topologies',
  request: { query: pageQuery },
  responses: { 200: { description: 'A page', content: json(schemas.topologyPage) } },
})

const create = createRoute({
  ...changes('design', 'createTopology'),
  tags,
  summary: 'Create a topology from a document',
  description: 'Saved as a draft, whatever is still wrong with its graph: publish says what.',
  method: 'post',
  path: '/api/topologies',
  request: { body: body(schemas.topologyDocument) },
  responses: { 201: { description: 'Created', content: json(schemas.topology) } },
  'x-problems': [409],
})

const get = createRoute({
  ...needs('read'),
  operationId: 'getTopology',
  tags,
  summary: 'Get a topology with its draft',
  method: 'get',
  path: '/api/topologies/{topology}',
  request: { params: topologyParam },
  responses: { 200: { description: 'The topology', content: json(schemas.topology) } },
})

const replace = createRoute({
  ...changes('design', 'replaceTopology'),
  tags,
  summary: 'Replace the draft',
  description:
    'Nodes are matched by name and keep their ids. Node values that the document names win over the stored ones; what it leaves out stays as it is stored.',
  method: 'put',
  path: '/api/topologies/{topology}',
  request: { params: topologyParam, body: body(schemas.topologyDocument) },
  responses: { 200: { description: 'Saved', content: json(schemas.topology) } },
  'x-problems': [409, 412],
})

const patch = createRoute({
  ...changes('operate', 'changeTopology'),
  tags,
  summary: 'Enable, pause, describe or label',
  description: '`paused` acts at once at all bridges.',
  method: 'patch',
  path: '/api/topologies/{topology}',
  request: { params: topologyParam, body: body(schemas.topologyPatch) },
  responses: { 200: { description: 'Changed', content: json(schemas.topology) } },
  'x-problems': [409, 412],
})

const remove = createRoute({
  ...changes('design', 'deleteTopology'),
  tags,
  summary: 'Delete a topology; its runs and Trash stay',
  description:
    'A published topology, and one with messages on their way, is refused unless `force=true`. Then its messages settle as cancelled first; meanwhile it is a draft that can not be published, and it is gone when that is done.',
  method: 'delete',
  path: '/api/topologies/{topology}',
  request: { params: topologyParam, query: schemas.force },
  responses: {
    202: { description: 'Stopped; deleted when nothing is on its way (with force)' },
    204: { description: 'Deleted' },
  },
  'x-problems': [409, 412],
})

export function topologyRoutes(app: Api, deps: ApiDeps): void {
  const { store, events } = deps
  app.openapi(list, async (c) => {
    const { limit, after } = c.req.valid('query')
    const rows = await listTopologies(store, limit + 1, afterText(after))
    return c.json(
      page(rows, limit, showTopology, (row) => row.name),
      200,
    )
  })
  app.openapi(create, async (c) => {
    const topology = await createTopology({ ...deps, audit: c.get('audit') }, documentOf(c.req.valid('json')))
    events.emit({ kind: 'draft', topologyId: topology.id })
    setEtag(c, topology.version)
    c.header('location', `/api/topologies/${topology.id}`)
    return c.json(showTopology(topology), 201)
  })
  app.openapi(get, async (c) => {
    const topology = await topologyOf(deps, c.get('caller'), c.req.valid('param').topology)
    setEtag(c, topology.version)
    return c.json(showTopology(topology), 200)
  })
  app.openapi(replace, async (c) => {
    const { id } = await topologyOf(deps, c.get('caller'), c.req.valid('param').topology)
    const topology = await replaceDraft(
      { ...deps, audit: c.get('audit') },
      id,
      documentOf(c.req.valid('json')),
      ifMatch(c),
    )
    events.emit({ kind: 'draft', topologyId: id })
    setEtag(c, topology.version)
    return c.json(showTopology(topology), 200)
  })
  app.openapi(patch, async (c) => {
    const { id } = await topologyOf(deps, c.get('caller'), c.req.valid('param').topology)
    const changing = { ...deps, audit: c.get('audit') }
    const topology = await changeTopology(changing, id, c.req.valid('json'), c.get('caller'), ifMatch(c))
    events.emit({ kind: 'draft', topologyId: id })
    setEtag(c, topology.version)
    return c.json(showTopology(topology), 200)
  })
  app.openapi(remove, async (c) => {
    const topology = await topologyOf(deps, c.get('caller'), c.req.valid('param').topology)
    const force = c.req.valid('query').force
    const isGone = await deleteTopology({ ...deps, audit: c.get('audit') }, topology, force, ifMatch(c))
    events.emit({ kind: 'draft', topologyId: topology.id })
    // Of a published one it is always 202: whether something was on its way is a matter of moments.
    return c.body(null, isGone && topology.visibility === 'draft' ? 204 : 202)
  })
}

/** Finds a topology by id or name for a caller who may use it. Throws `NotFound`, 403. */
export async function topologyOf({ store }: ApiDeps, caller: Caller, ref: string): Promise<Topology> {
  const topology = await getTopology(store, ref)
  checkTopology(caller, topology.id)
  return topology
}

/** Id of the topology that a filter names; a name that nobody has is taken for the id of a deleted one. */
export async function filteredId({ store }: ApiDeps, ref: string | undefined): Promise<string | undefined> {
  if (ref === undefined) return undefined
  try {
    return (await getTopology(store, ref)).id
  } catch (error) {
    if (error instanceof NotFound) return ref
    throw error
  }
}

export function showTopology(topology: Topology): z.infer<typeof schemas.topology> {
  const { version: _, createdAt, updatedAt, ...rest } = topology
  return { ...rest, createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString() }
}

async function changeTopology(
  deps: Changing,
  id: string,
  change: z.infer<typeof schemas.topologyPatch>,
  caller: Caller,
  ifVersion: number | null,
): Promise<Topology> {
  return deps.store.transaction(async (inside) => {
    const before = await lockTopology(inside, id, ifVersion)
    const { enabled, paused, description, labels, ...days } = change
    const { description: told, labels: stuck, ...rest } = draftOf(before)
    const nextDescription = description === undefined ? told : (description ?? undefined)
    const nextLabels = labels ?? stuck
    const document = {
      ...rest,
      ...(nextDescription !== undefined && { description: nextDescription }),
      ...(nextLabels && { labels: nextLabels }),
    }
    const changed = {
      document,
      ...(enabled !== undefined && { enabled }),
      ...(paused !== undefined &&
        paused !== before.paused && { paused, pausedReason: paused ? pausedBy(caller) : null }),
      ...(description !== undefined && { description }),
      ...(labels !== undefined && { labels }),
      ...given(days),
    }
    const after = isSame(before, changed) ? before : await updateTopology(inside, id, changed)
    await deps.audit(inside, ofTopology(before, after))
    // What was never published is told with its first plan.
    if (paused !== undefined && before.revision > 0) await deps.queues.setTopologyPaused(id, after.pausedReason)
    return after
  })
}

/** What is given of it. */
function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never
}

function isSame(before: Topology, changed: TopologyChange): boolean {
  return Object.entries(changed).every(([key, value]) => isDeepStrictEqual(before[key as keyof Topology], value))
}

/** False: its messages are being cancelled, and it is deleted then. */
async function deleteTopology(deps: Changing, topology: Topology, force: boolean, ifVersion: number | null) {
  const { queues } = deps
  refuseChanged(topology, ifVersion)
  const isPublic = topology.visibility === 'public'
  if (isPublic && !force)
    throw new Conflict(`the topology "${topology.name}" is published: unpublish it first, or use ?force=true`)
  if ((await onTheirWay(deps, topology)) > 0 || (await queues.isCancelling(topology.id, null))) {
    if (!force) throw refusal(topology, await onTheirWay(deps, topology))
    await beginDiscard(deps, topology.id, 'delete', ifVersion)
    return false
  }
  const draft = isPublic ? await unpublish(deps, topology.id, ifVersion) : topology
  const ifDraft = ifVersion === null ? null : draft.version
  if (await deleteEmpty(deps, topology.id, ifDraft)) return true
  // Something was started or published in between.
  if (!force) throw refusal(topology, await onTheirWay(deps, topology))
  await beginDiscard(deps, topology.id, 'delete', ifDraft)
  return false
}

/** False, and nothing is changed, when it has messages on their way or was published meanwhile. */
async function deleteEmpty(deps: Changing, id: string, ifVersion: number | null): Promise<boolean> {
  const { store, queues } = deps
  return store.transaction(async (inside) => {
    const before = await lockTopology(inside, id, ifVersion)
    if (before.visibility !== 'draft') return false
    // Who starts something by a gate has written it down by now, or finds the topology gone.
    await lockGates(inside, id)
    const last = before.revision === 0 ? null : await queues.lastSequence(id)
    // Within the transaction: a second connection of the pool may be one that such a deletion holds, which waits for this one.
    if ((await onTheirWay({ store: inside, queues }, before)) > 0) return false
    // Who started something had asked before whether it is published, however long ago.
    if (last !== null && !(await queues.destroyUnmoved(id, last))) return false
    await deleteDraft(inside, id)
    await deps.audit(inside, ofTopology(before, null))
    if (before.revision > 0) await queues.setTopologyPaused(id, null)
    return true
  })
}

/** Nothing that was accepted is ever deleted (I7). */
function refusal({ name }: Topology, count: number): Conflict {
  if (count === 0) return new Conflict(`the topology "${name}" was published meanwhile`)
  return new Conflict(
    `"${name}" has ${count} messages on their way: let them finish, or use ?force=true to cancel them first`,
  )
}
