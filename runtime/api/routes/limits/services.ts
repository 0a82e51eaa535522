import { createRoute } from '@hono/zod-openapi'
import type { z } from '@hono/zod-openapi'
import {
  dearUsersOf,
  deleteService,
  getService,
  insertService,
  limitsOf,
  listServices,
  lockService,
  updateService,
  usersOf,
} from '../../../store/queries/services.ts'
import type { Service, ServiceUser, ServiceValues } from '../../../store/queries/services.ts'
import { Conflict, Invalid } from '../../../errors.ts'
import type { Store } from '../../../store/store.ts'
import { mostOf } from '../../../topology/limits/costs.ts'
import type { LimitKey } from '../../../queue/limits/told.ts'
import { limitFaults, words } from '../../../topology/limits/limits.ts'
import { ofLifted, ofService } from '../../access/targets.ts'
import { changes, needs } from '../../auth.ts'
import { ifMatch, setEtag } from '../../input/conditional.ts'
import type { Api, ApiDeps } from '../../deps.ts'
import { afterText, page, pageQuery } from '../../input/paging.ts'
import { body, json, nameParam } from '../../schemas/common.ts'
import * as schemas from '../../schemas/registry.ts'
import { renamed } from '../workers.ts'

const tags = ['Services']
const path = '/api/services/{name}'
const params = nameParam

const list = createRoute({
  ...needs('read'),
  operationId: 'listServices',
  tags,
  summary: 'List services by name',
  method: 'get',
  path: '/api/services',
  request: { query: pageQuery },
  responses: { 200: { description: 'A page', content: json(schemas.servicePage) } },
})

const create = createRoute({
  ...changes('design', 'createService'),
  tags,
  summary: 'Declare a service and its limits',
  description: 'Limits hold for all calls of nodes that name the service, at once.',
  method: 'post',
  path: '/api/services',
  request: { body: body(schemas.serviceInput) },
  responses: { 201: { description: 'Declared', content: json(schemas.service) } },
  'x-problems': [409],
})

const get = createRoute({
  ...needs('read'),
  operationId: 'getService',
  tags,
  summary: 'Get a service',
  method: 'get',
  path,
  request: { params },
  responses: { 200: { description: 'The service', content: json(schemas.service) } },
})

const replace = createRoute({
  ...changes('design', 'replaceService'),
  tags,
  summary: 'Replace the limits of a service',
  method: 'put',
  path,
  request: { params, body: body(schemas.serviceValuesInput) },
  responses: { 200: { description: 'Replaced', content: json(schemas.service) } },
  'x-problems': [409, 412],
})

const remove = createRoute({
  ...changes('design', 'deleteService'),
  tags,
  summary: 'Delete a service that no node uses',
  description: 'Neither of a published topology nor of a draft.',
  method: 'delete',
  path,
  request: { params },
  responses: { 204: { description: 'Deleted' } },
  'x-problems': [409, 412],
})

const resume = createRoute({
  ...changes('operate', 'resumeService'),
  tags,
  summary: 'Call a service again that asked to wait',
  description:
    'Ends, at once and for all bridges, the waits that workers asked for with 429: of all keys of the service, or with `tenant` of that one. Messages that were put off until then come sooner. A service that still means it asks again; declared limits hold as before.',
  method: 'post',
  path: `${path}/resume`,
  request: { params, query: schemas.resumeQuery },
  responses: { 200: { description: 'What was ended', content: json(schemas.resumed) } },
})

export function serviceRoutes(app: Api, { store, queues, events }: ApiDeps): void {
  app.openapi(list, async (c) => {
    const { limit, after } = c.req.valid('query')
    const rows = await listServices(store, limit + 1, afterText(after))
    return c.json(
      page(rows, limit, showService, (row) => row.name),
      200,
    )
  })
  app.openapi(create, async (c) => {
    const { name, ...values } = c.req.valid('json')
    const service = await store.transaction(async (inside) => {
      const made = await insertService(inside, name, checked(values))
      await refuseTooDear(inside, made)
      await c.get('audit')(inside, ofService(null, made))
      await queues.putService(limitsOf(made))
      return made
    })
    events.emit({ kind: 'service', name, removed: false })
    setEtag(c, service.version)
    c.header('location', `/api/services/${name}`)
    return c.json(showService(service), 201)
  })
  app.openapi(get, async (c) => {
    const service = await getService(store, c.req.valid('param').name)
    setEtag(c, service.version)
    return c.json(showService(service), 200)
  })
  app.openapi(replace, async (c) => {
    const { name } = c.req.valid('param')
    const { name: named, ...values } = c.req.valid('json')
    if (named !== undefined && named !== name) throw renamed()
    const service = await store.transaction(async (inside) => {
      const before = await lockService(inside, name)
      const after = await updateService(inside, name, checked(values), ifMatch(c))
      await refuseTooDear(inside, after)
      await c.get('audit')(inside, ofService(before, after))
      await queues.putService(limitsOf(after))
      return after
    })
    events.emit({ kind: 'service', name, removed: false })
    setEtag(c, service.version)
    return c.json(showService(service), 200)
  })
  app.openapi(resume, async (c) => {
    const { name } = c.req.valid('param')
    const { tenant } = c.req.valid('query')
    const isMeant = (key: LimitKey): boolean =>
      key.kind === 'service' && key.service === name && (tenant === undefined || (key.isOwn && key.who === tenant))
    const ended = await store.transaction(async (inside) => {
      await lockService(inside, name)
      const lifted = await queues.liftLimited(isMeant)
      if (lifted.length > 0) await c.get('audit')(inside, ofLifted(name, lifted))
      return lifted.length
    })
    if (ended > 0) events.emit({ kind: 'service', name, removed: false })
    return c.json({ ended }, 200)
  })
  app.openapi(remove, async (c) => {
    const { name } = c.req.valid('param')
    await store.transaction(async (inside) => {
      await lockService(inside, name, ifMatch(c))
      refuseUsed(name, await usersOf(inside, name, usersNamed + 1))
      await c.get('audit')(inside, ofService(await deleteService(inside, name), null))
      await queues.removeService(name)
    })
    events.emit({ kind: 'service', name, removed: true })
    return c.body(null, 204)
  })
}

const usersNamed = 20

/** Without it their calls would have no limits. */
function refuseUsed(name: string, users: readonly ServiceUser[]): void {
  if (users.length === 0) return
  throw new Conflict(`nodes use the service "${name}": ${namesOf(users)}; take it from these nodes first`)
}

/** A call of these nodes would never fit into the limits. */
async function refuseTooDear(inside: Store, { name, limits }: Service): Promise<void> {
  const least = mostOf(limits)
  const users = least === null ? [] : await dearUsersOf(inside, name, least.most, usersNamed + 1)
  if (least === null || users.length === 0) return
  const named = namesOf(users, ({ limitCost }) => ` (limitCost ${limitCost})`)
  throw new Conflict(
    `${words(least.limit)} never has room for a call of published nodes of the service "${name}": ${named}; raise the limit, or publish these nodes with a limitCost of at most ${least.most} first`,
  )
}

function namesOf(users: readonly ServiceUser[], more: (user: ServiceUser) => string = () => ''): string {
  const named = users
    .slice(0, usersNamed)
    .map((user) => `${user.topology}/${user.node}${user.published ? '' : ' (draft)'}${more(user)}`)
  return `${named.join(', ')}${users.length > usersNamed ? ' and more' : ''}`
}

type Values = Omit<z.output<typeof schemas.serviceValuesInput>, 'name'>

const scopeOfNothing = 'it says whose calls maxInFlight counts: give maxInFlight, or leave inFlightScope out'

/** @throws Invalid when limits contradict each other */
function checked({ limits, maxInFlight = null, inFlightScope = 'global' }: Values): ServiceValues {
  const faults = limitFaults(limits)
  if (inFlightScope === 'tenant' && maxInFlight === null)
    faults.push({ path: 'inFlightScope', message: scopeOfNothing })
  if (faults.length > 0) throw new Invalid('these limits contradict each other', faults)
  return { limits, maxInFlight, inFlightScope }
}

function showService({ version: _, limits, createdAt, updatedAt, ...rest }: Service): z.infer<typeof schemas.service> {
  return {
    ...rest,
    limits: limits as z.infer<typeof schemas.service>['limits'],
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  }
}
