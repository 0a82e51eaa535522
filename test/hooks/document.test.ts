import { expect, test } from 'vitest'
import { compilePlan } from '../../runtime/topology/compile.ts'
import { parseDocument } from '../../runtime/topology/document.ts'
import { isEventNode } from '../../runtime/topology/plan.ts'
import { mergeDrawing } from '../../runtime/topology/editors/merge.ts'
import { readJson } from '../../runtime/topology/editors/json/read.ts'

const documentOf = (node: unknown) =>
  parseDocument(JSON.stringify({ name: 'shop', nodes: [{ name: 'paid', type: 'webhook', ...Object(node) }] }), 'x.json')

test.each([
  [{ verify: {} }, 'verify.scheme', 'is missing: expected standard-webhooks'],
  [{ verify: { scheme: 'git' } }, 'verify.scheme', 'expected standard-webhooks'],
  [{ verify: { scheme: 'github', header: 'x' } }, 'verify.header', 'the scheme github has no header'],
  [{ verify: { scheme: 'hmac' } }, 'verify', 'needs header'],
  [{ verify: { scheme: 'token', algorithm: 'sha1' } }, 'verify.algorithm', 'the scheme token has no algorithm'],
  [{ verify: { scheme: 'stripe', toleranceSeconds: 0 } }, 'verify.toleranceSeconds', 'at least 1'],
  [{ verify: { scheme: 'hmac', header: 'a b' } }, 'verify.header', 'the name of a header'],
  [{ verify: { scheme: 'hmac', header: 'a', prefx: 'x' } }, 'verify.prefx', 'did you mean "prefix"?'],
  [{ handshake: {} }, 'handshake', 'needs query or body'],
  [{ handshake: { query: 'a', body: '/b' } }, 'handshake', 'needs query or body'],
  [{ handshake: { body: '/b', token: 't' } }, 'handshake.token', 'goes with query'],
  [{ handshake: { query: 'q', when: {} } }, 'handshake.when', 'goes with body'],
  [{ handshake: { body: 'challenge' } }, 'handshake.body', 'a JSON pointer such as /challenge'],
  [{ accept: { methods: ['GET'] } }, 'accept.methods[0]', 'expected POST or PUT'],
  [{ accept: { maxBytes: 8388609 } }, 'accept.maxBytes', 'at most 8388608'],
  [{ accept: { headers: ['Authorization'] } }, 'accept.headers[0]', 'never carried'],
  [{ accept: { headers: ['x_y'] } }, 'accept.headers[0]', 'the name of a header'],
  [{ accept: { tenant: 'shop' } }, 'accept.tenant', 'query:NAME'],
  [{ accept: { deliveryId: 'fixed:1' } }, 'accept.deliveryId', 'header:NAME'],
])('%j is refused at %s', (node, path, message) => {
  const { faults } = documentOf(node)
  expect(faults).toContainEqual({ path: `nodes[0].${path}`, message: expect.stringContaining(message) as string })
})

test.each([
  ['github', { from: 'header', name: 'x-github-delivery' }],
  ['shopify', { from: 'header', name: 'x-shopify-webhook-id' }],
  ['standard-webhooks', { from: 'header', name: 'webhook-id' }],
  ['stripe', { from: 'body', tokens: ['id'] }],
  ['slack', { from: 'body', tokens: ['event_id'] }],
  ['token', null],
])('the plan has the defaults of the scheme %s', (scheme, deliveryId) => {
  const { document } = documentOf({ verify: { scheme } })
  if (!document) throw new Error('no document')
  const ids = new Map([['paid', 'p1']])
  const [node] = compilePlan({ topologyId: 't', revision: 1, document, nodeIds: ids, stored: new Map() }).nodes
  expect(node && isEventNode(node) && node.webhook).toMatchObject({
    ...{ verify: { scheme }, handshake: null, methods: ['POST'], maxBytes: 8_388_608, headers: [], tenant: null },
    deliveryId,
  })
})

test('a drawing of an older editor keeps what it cannot say of a webhook, and tells that its address is to be registered', () => {
  const action = { name: 'shop.paid', worker: 'shop', type: 'webhook', app: 'shop', event: 'paid' }
  const node = { id: 'n1', type: 'flow', shape: 'circle', label: 'Webhook', action }
  const { drawing } = readJson({ nodes: [node], connections: [] })
  const before = { prefetch: new Map(), workers: [], names: [], keepsPrefetch: true }
  const first = mergeDrawing(drawing, { ...before, draft: { name: 'shop', nodes: [], edges: [] } })
  expect(first.document.nodes).toEqual([{ name: 'shop-paid', type: 'webhook' }])
  expect(first.warnings.map(({ message }) => message)).toContainEqual(expect.stringContaining('sluice webhook show'))
  const verify = { scheme: 'shopify' } as const
  const draft = { ...first.document, nodes: [{ name: 'shop-paid', type: 'webhook' as const, verify }] }
  const again = mergeDrawing(drawing, { ...before, draft, names: first.names })
  expect(again.document.nodes).toEqual([{ name: 'shop-paid', type: 'webhook', verify }])
  expect(again.warnings.map(({ message }) => message).join()).not.toContain('sluice webhook show')
  const cron = mergeDrawing(
    { ...drawing, nodes: drawing.nodes.map((drawn) => ({ ...drawn, type: 'start' as const })) },
    { ...before, draft, names: first.names },
  )
  expect(cron.document.nodes).toEqual([{ name: 'shop-paid', type: 'start' }])
})
