import { createRoute } from '@hono/zod-openapi'
import type { z } from '@hono/zod-openapi'
import { Conflict, Invalid } from '../../errors.ts'
import type { Fault } from '../../errors.ts'
import type { Heartbeat } from '../../queue/control.ts'
import { encryptSecret } from '../../secrets.ts'
import { latestPlans } from '../../store/queries/revisions.ts'
import { publicTopologies } from '../../store/queries/topologies.ts'
import {
  addressOf,
  deleteWorker,
  getWorker,
  insertWorker,
  listWorkers,
  lockWorker,
  updateWorker,
} from '../../store/queries/workers.ts'
import type { Worker, WorkerValues } from '../../store/queries/workers.ts'
import { isEventNode } from '../../topology/plan.ts'
import { instanceHealth, knownBridges } from '../actions/health/health.ts'
import { manifestFaults } from '../../protocol/manifest.ts'
import { manifestOf } from '../actions/plans.ts'
import { refreshManifest } from '../actions/manifest.ts'
import { ofWorker } from '../access/targets.ts'
import { changes, needs } from '../auth.ts'
import { ifMatch, setEtag } from '../input/conditional.ts'
import type { Api, ApiDeps, Changing } from '../deps.ts'
import { afterText, page, pageQuery } from '../input/paging.ts'
import { body, json, nameParam } from '../schemas/common.ts'
import * as schemas from '../schemas/registry.ts'

const tags = ['Workers']
const path = '/api/workers/{name}'
const params = nameParam

const list = createRoute({
  ...needs('read'),
  operationId: 'listWorkers',
  tags,
  summary: 'List workers by name, with the health of their instances',
  method: 'get',
  path: '/api/workers',
  request: { query: pageQuery },
  responses: { 200: { description: 'A page', content: json(schemas.workerPage) } },
})

const create = createRoute({
  ...changes('design', 'createWorker'),
  tags,
  summary: 'Register a worker',
  description: 'Its manifest is read at once if it answers; a worker without one is fine, too.',
  method: 'post',
  path: '/api/workers',
  request: { body: body(schemas.workerInput) },
  responses: { 201: { description: 'Registered', content: json(schemas.worker) } },
  'x-problems': [409],
})

const get = createRoute({
  ...needs('read'),
  operationId: 'getWorker',
  tags,
  summary: 'Get a worker',
  method: 'get',
  path,
  request: { params },
  responses: { 200: { description: 'The worker', content: json(schemas.worker) } },
})

const replace = createRoute({
  ...changes('design', 'replaceWorker'),
  tags,
  summary: 'Replace where and how a worker is called',
  description: 'Bridges take the new addresses at once. `secret` left out keeps the one there is.',
  method: 'put',
  path,
  request: { params, body: body(schemas.workerValuesInput) },
  responses: { 200: { description: 'Replaced', content: json(schemas.worker) } },
  'x-problems': [412],
})

const remove = createRoute({
  ...changes('design', 'deleteWorker'),
  tags,
  summary: 'Delete a worker that no published topology uses',
  method: 'delete',
  path,
  request: { params },
  responses: { 204: { description: 'Deleted' } },
  'x-problems': [409, 412],
})

const refresh = createRoute({
  ...changes('design', 'refreshWorker'),
  tags,
  summary: "Read a worker's manifest again",
  description: '409 when no instance gives a valid one; the old one is kept then.',
  method: 'post',
  path: '/api/workers/{name}/refresh',
  request: { params },
  responses: { 200: { description: 'Read', content: json(schemas.worker) } },
  'x-problems': [409, 412],
})

export function workerRoutes(app: Api, deps: ApiDeps): void {
  const { store, queues } = deps
  app.openapi(list, async (c) => {
    const { limit, after } = c.req.valid('query')
    const [rows, bridges] = await Promise.all([listWorkers(store, limit + 1, afterText(after)), knownBridges(deps)])
    return c.json(
      page(
        rows,
        limit,
        (row) => showWorker(row, bridges),
        (row) => row.name,
      ),
      200,
    )
  })
  app.openapi(create, async (c) => {
    const { name, ...values } = c.req.valid('json')
    const made = await store.transaction(async (inside) => {
      const row = await insertWorker(inside, name, { secret: null, ...valuesOf(deps, values) })
      await c.get('audit')(inside, ofWorker(null, row))
      await queues.putWorker(addressOf(row))
      return row
    })
    const worker = await withManifest({ ...deps, audit: c.get('audit') }, made)
    setEtag(c, worker.version)
    c.header('location', `/api/workers/${name}`)
    return c.json(showWorker(worker, await knownBridges(deps)), 201)
  })
  app.openapi(get, async (c) => {
    const worker = await getWorker(store, c.req.valid('param').name)
    setEtag(c, worker.version)
    return c.json(showWorker(worker, await knownBridges(deps)), 200)
  })
  changingRoutes(app, deps)
}

function changingRoutes(app: Api, deps: ApiDeps): void {
  const { store, queues } = deps
  app.openapi(replace, async (c) => {
    const { name } = c.req.valid('param')
    const { name: named, ...values } = c.req.valid('json')
    if (named !== undefined && named !== name) throw renamed()
    const changed = await store.transaction(async (inside) => {
      const before = await lockWorker(inside, name)
      const row = await updateWorker(inside, name, valuesOf(deps, values), ifMatch(c))
      await c.get('audit')(inside, ofWorker(before, row))
      await queues.putWorker(addressOf(row))
      return row
    })
    const worker = await withManifest({ ...deps, audit: c.get('audit') }, changed)
    setEtag(c, worker.version)
    return c.json(showWorker(worker, await knownBridges(deps)), 200)
  })
  app.openapi(remove, async (c) => {
    const { name } = c.req.valid('param')
    await store.transaction(async (inside) => {
      await lockWorker(inside, name, ifMatch(c))
      const users = await usersOf({ ...deps, store: inside }, name)
      if (users.length > 0) throw new Conflict(`published topologies use the worker "${name}": ${users.join(', ')}`)
      await c.get('audit')(inside, ofWorker(await deleteWorker(inside, name), null))
      await queues.removeWorker(name)
    })
    return c.body(null, 204)
  })
  app.openapi(refresh, async (c) => {
    const changing = { ...deps, audit: c.get('audit') }
    const worker = await refreshManifest(changing, await getWorker(store, c.req.valid('param').name), ifMatch(c))
    setEtag(c, worker.version)
    return c.json(showWorker(worker, await knownBridges(deps)), 200)
  })
}

export function renamed(): Invalid {
  const message = "a name can't be changed: leave it out, or make another one and delete this one"
  return new Invalid(message, [{ path: 'name', message }])
}

type Values = Omit<z.output<typeof schemas.workerValuesInput>, 'name'>

function valuesOf({ secretKey }: ApiDeps, { urls, dialect, secret, timeoutMs }: Values) {
  const values: Omit<WorkerValues, 'secret'> = { urls, dialect, timeoutMs: timeoutMs ?? null }
  if (secret === undefined) return values
  return { ...values, secret: secret === null ? null : encryptSecret(secretKey, secret) }
}

/** A worker that doesn't answer now can be registered all the same. */
async function withManifest(deps: Changing, worker: Worker): Promise<Worker> {
  if (worker.dialect !== 'native') return worker
  try {
    return await refreshManifest(deps, worker, null)
  } catch (error) {
    if (!(error instanceof Conflict)) throw error
    deps.log.info('a worker was registered without its manifest', { worker: worker.name, why: error.message })
    return worker
  }
}

/** Names of the published topologies that call a worker. */
async function usersOf({ store }: ApiDeps, worker: string): Promise<string[]> {
  const names = new Map((await publicTopologies(store)).map((topology) => [topology.id, topology.name]))
  return (await latestPlans(store))
    .filter(({ topologyId }) => names.has(topologyId))
    .filter(({ nodes }) => nodes.some((node) => !isEventNode(node) && node.worker === worker))
    .map(({ topologyId }) => names.get(topologyId) ?? topologyId)
}

function faultsOf(worker: Worker): Fault[] {
  const manifest = manifestOf(worker)
  return manifest === null ? [] : manifestFaults(manifest)
}

function showWorker(worker: Worker, bridges: readonly Heartbeat[]): z.infer<typeof schemas.worker> {
  const { name, urls, dialect, secret, timeoutMs, manifest, manifestReadAt, createdAt, updatedAt } = worker
  return {
    name,
    urls: [...urls],
    dialect,
    hasSecret: secret !== null,
    timeoutMs,
    instances: urls.map((url) => instanceHealth(name, url, bridges)),
    manifest: manifest === null ? null : { ...manifest },
    manifestReadAt: manifestReadAt?.toISOString() ?? null,
    manifestFaults: faultsOf(worker),
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  }
}
