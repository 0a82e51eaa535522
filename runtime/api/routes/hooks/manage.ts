import { createRoute } from '@hono/zod-openapi'
import type { z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { Webhook } from '../../../store/queries/hooks/webhooks.ts'
import type { Node } from '../../../store/queries/nodes.ts'
import { getTopology } from '../../../store/queries/topologies.ts'
import type { Topology } from '../../../store/queries/topologies.ts'
import { compileWebhook } from '../../../topology/webhooks/compile.ts'
import type { Webhook as Config } from '../../../topology/webhooks/config.ts'
import { originOf } from '../../access/origin.ts'
import { draftOf } from '../../actions/drafts.ts'
import { isOver } from '../../actions/hooks/known.ts'
import type { Hooks } from '../../actions/hooks/known.ts'
import {
  checkSecret,
  notesOf,
  pathSecretOf,
  revokeAddress,
  rotateAddress,
  setSecrets,
  webhookOf,
} from '../../actions/hooks/manage.ts'
import { changes, needs } from '../../auth.ts'
import { ifMatch, setEtag } from '../../input/conditional.ts'
import type { Api, ApiDeps, ApiEnv } from '../../deps.ts'
import { body, idParam, json } from '../../schemas/common.ts'
import { nodeOf } from '../nodes.ts'
import * as schemas from './schemas.ts'

const tags = ['Webhooks']
const path = '/api/nodes/{id}/webhook'
const byEither = { topologyBy: 'handler', or: 'design' } as const
const shown = { 200: { description: 'The webhook', content: json(schemas.webhook) } }

const get = createRoute({
  ...needs('operate', byEither),
  operationId: 'getWebhook',
  tags,
  summary: 'Get the address of a webhook node',
  description: 'It is made when the node is saved first. Of its other secrets it is told whether there are any.',
  method: 'get',
  path,
  request: { params: idParam },
  responses: shown,
  'x-problems': [409],
})

const put = createRoute({
  ...changes('operate', 'setWebhookSecrets', byEither),
  tags,
  summary: 'Set what signs the deliveries of a webhook, and what proves handshakes',
  description:
    'The secret before signs deliveries for `graceSeconds` more, so that none is refused while it is replaced.',
  method: 'put',
  path,
  request: { params: idParam, body: body(schemas.secretsRequest) },
  responses: shown,
  'x-problems': [409, 412],
})

const rotate = createRoute({
  ...changes('operate', 'rotateWebhook', byEither),
  tags,
  summary: 'Give a webhook another address',
  description: 'The one before is taken for `graceSeconds` more; one before that is not.',
  method: 'post',
  path: '/api/nodes/{id}/webhook/rotate',
  request: { params: idParam, body: body(schemas.rotateRequest) },
  responses: shown,
  'x-problems': [409, 412],
})

const revoke = createRoute({
  ...changes('operate', 'revokeWebhook', byEither),
  tags,
  summary: 'Make the addresses of a webhook useless',
  description: 'At once. Its other secrets stay.',
  method: 'delete',
  path,
  request: { params: idParam },
  responses: { 204: { description: 'Revoked' } },
  'x-problems': [409, 412],
})

export function webhookRoutes(app: Api, deps: ApiDeps, hooks: Hooks): void {
  const { store, secretKey } = deps
  const answer = async (c: Context<ApiEnv>, node: Node, change: (config: Config) => Promise<Webhook>) => {
    const topology = await getTopology(store, node.topologyId)
    const config = draftConfig(node, topology)
    const row = await change(config)
    setEtag(c, row.version)
    return show(deps, c, { row, node, topology, config })
  }
  const changing = (c: Context<ApiEnv>) => ({ store, secretKey, audit: c.get('audit') })
  /** Nobody goes by what was before when this resolves. */
  const known = async (node: Node, change: Promise<Webhook>): Promise<Webhook> => {
    const row = await change
    hooks.forget(node.id)
    return row
  }
  app.openapi(get, async (c) => {
    const node = await nodeOf(deps, c.get('caller'), c.req.valid('param').id)
    return c.json(await answer(c, node, () => webhookOf(deps, node)), 200)
  })
  app.openapi(put, async (c) => {
    const node = await nodeOf(deps, c.get('caller'), c.req.valid('param').id)
    const { graceSeconds: graceS = schemas.usualGraceS, ...secrets } = c.req.valid('json')
    const set = (config: Config) => {
      checkSecret(config, secrets.secret)
      return known(node, setSecrets(changing(c), node, { ...secrets, graceS }, ifMatch(c)))
    }
    return c.json(await answer(c, node, set), 200)
  })
  app.openapi(rotate, async (c) => {
    const node = await nodeOf(deps, c.get('caller'), c.req.valid('param').id)
    const { graceSeconds = schemas.usualGraceS } = c.req.valid('json')
    return c.json(
      await answer(c, node, () => known(node, rotateAddress(changing(c), node, graceSeconds, ifMatch(c)))),
      200,
    )
  })
  app.openapi(revoke, async (c) => {
    const node = await nodeOf(deps, c.get('caller'), c.req.valid('param').id)
    await known(node, revokeAddress(changing(c), node, ifMatch(c)))
    return c.body(null, 204)
  })
}

/** As the draft has it: what is published goes by the plan. */
function draftConfig({ name, type }: Node, topology: Topology): Config {
  const drawn = draftOf(topology).nodes.find((node) => node.name === name)
  return compileWebhook(drawn ?? { name, type: type as 'webhook' })
}

interface Around {
  readonly row: Webhook
  readonly node: Node
  readonly topology: Topology
  readonly config: Config
}

function show(
  { access, secretKey }: ApiDeps,
  c: Context<ApiEnv>,
  { row, node, topology, config }: Around,
): z.infer<typeof schemas.webhook> {
  const secret = pathSecretOf(secretKey, row)
  const until = (time: Date | null): string | null => (isOver(time) ? null : (time?.toISOString() ?? null))
  // By ids and the node's name, so that it stays when the topology is renamed.
  const url = `${originOf(c, access.isProxy)}/hooks/${topology.id}/${node.name}/${secret}`
  return {
    nodeId: node.id,
    node: node.name,
    topologyId: topology.id,
    topology: topology.name,
    url: secret === null ? null : url,
    previousUntil: until(row.previousPathUntil),
    scheme: config.verify?.scheme ?? null,
    hasSecret: row.signingSecret !== null,
    previousSecretUntil: until(row.previousSigningUntil),
    hasVerifyToken: row.verifyToken !== null,
    notes: notesOf(row, config, closedBy(node, topology)),
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }
}

function closedBy(node: Node, topology: Topology): string | null {
  if (topology.visibility !== 'public') return 'deliveries are answered with 503 until the topology is published'
  if (!topology.enabled) return 'deliveries are answered with 503: the topology is disabled'
  return node.enabled ? null : 'deliveries are answered with 503: the node is disabled'
}
