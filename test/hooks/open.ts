import { createHmac } from 'node:crypto'
import type { Started } from '../../runtime/protocol/outcome.ts'
import { nodeOf, openApi } from '../api/open.ts'
import type { Answer, Sending, TestApi } from '../api/open.ts'
import { startsIn } from '../api/stored.ts'

export interface HookApi {
  readonly t: TestApi
  readonly topologyId: string
  readonly nodeId: string
  /** Path of the node's address. */
  readonly path: string
  /** Sends a delivery, without a token. */
  deliver(
    sending?: Sending & { readonly method?: string; readonly path?: string; readonly query?: string },
  ): Promise<Answer>
}

export const secret = 'the secret of the tests'

/** The topology `shop`, published: the webhook `paid` → a. `secret` null: none is set. */
export async function openHook(
  hook: Record<string, unknown> = {},
  { given, secret: signing = 'verify' in hook ? secret : null }: { given?: TestApi; secret?: string | null } = {},
): Promise<HookApi> {
  const t = given ?? (await openApi())
  await t.post('/api/workers', { name: 'w', urls: ['http://127.0.0.1:1'] })
  const made = await t.post('/api/topologies', shop(hook))
  const published = await t.post('/api/topologies/shop/publish')
  if (made.status !== 201 || published.status !== 200) throw new Error(`${made.text} ${published.text}`)
  const { id: nodeId } = await nodeOf(t, 'shop', 'paid')
  if (signing !== null) await t.send('PUT', `/api/nodes/${nodeId}/webhook`, { json: { secret: signing } })
  const path = await pathOf(t, nodeId)
  return {
    t,
    topologyId: made.body.id,
    nodeId,
    path,
    deliver: ({ method = 'POST', path: to = path, query = '', ...sending } = {}) =>
      t.send(method, `${to}${query}`, { token: null, ...sending }),
  }
}

export function shop(hook: Record<string, unknown> = {}) {
  return {
    name: 'shop',
    nodes: [
      { name: 'paid', type: 'webhook', ...hook },
      { name: 'a', type: 'custom', worker: 'w' },
    ],
    edges: [{ from: 'paid', to: 'a' }],
  }
}

/** Path of the address that a node has now. */
export async function pathOf(t: TestApi, nodeId: string): Promise<string> {
  const { url } = (await t.get(`/api/nodes/${nodeId}/webhook`)).body as unknown as { url: string }
  return new URL(url).pathname
}

/** What the queue of the webhook holds: all of it when `count` is what was accepted. */
export function startsOf({ t, topologyId }: HookApi, count: number): Promise<Started[]> {
  return startsIn(t, topologyId, count)
}

/** How many starts are stored. */
export async function storedIn({ t, topologyId }: HookApi): Promise<number> {
  return (await t.queues.connection.jsm.streams.info(`SLUICE_${topologyId}`)).state.messages
}

/** As GitHub signs. */
export function github(body: string | Uint8Array, delivery?: string, by = secret): Record<string, string> {
  const mac = createHmac('sha256', by).update(body).digest('hex')
  return { 'x-hub-signature-256': `sha256=${mac}`, ...(delivery !== undefined && { 'x-github-delivery': delivery }) }
}
