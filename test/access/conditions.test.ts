import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { chain, nodeOf, openApi } from '../api/open.ts'
import type { TestApi } from '../api/open.ts'
import { shop } from '../hooks/open.ts'
import { allOperations, withRuns } from './world.ts'

/** Changes of what has no ETag, and why. */
const unconditional: Readonly<Record<string, string>> = {
  createTopology: 'makes it',
  createWorker: 'makes it',
  createService: 'makes it',
  createToken: 'makes it',
  createSession: 'makes it',
  resumeService: 'what is declared stays',
  deleteToken: 'a token never changes',
  deleteSession: 'a login never changes',
  cancelRun: 'a run is changed by its messages alone',
  tryNode: 'changes nothing',
  previewBulk: 'changes nothing',
  checkTopology: 'changes nothing',
  importTrash: 'makes what is not there',
  eraseTrash: 'deletes whatever there is',
  createBulk: 'makes it',
  rerunRun: 'starts',
  runTopology: 'starts',
  startNode: 'starts',
  receiveWebhook: 'starts',
  receiveWebhookPut: 'starts',
}

interface Around {
  readonly t: TestApi
  readonly nodeId: string
  readonly hook: string
  readonly cursor: string
  readonly watermark: string
  readonly bulk: string
}

const read = async (t: TestApi, path: string): Promise<string> => (await t.get(path)).text

/** A body of each that would change something. */
const bodies: Readonly<Record<string, (around: Around) => unknown>> = {
  replaceTopology: () => chain('orders', { a: { prefetch: 9 } }),
  changeTopology: () => ({ paused: true }),
  changeNode: () => ({ prefetch: 9 }),
  replaceTopologyFlow: async ({ t }) => JSON.parse(await read(t, '/api/topologies/orders/schema.json')) as unknown,
  rollbackTopology: () => ({ revision: 1 }),
  setWebhookSecrets: () => ({ secret: 'it signs' }),
  rotateWebhook: () => ({}),
  editTrash: () => ({ body: { a: 2 } }),
  discardTrash: () => ({}),
  resumeBulk: () => ({}),
  editCursor: () => ({ cursor: 'c0' }),
  resetCursor: () => ({}),
  setWatermark: () => ({ topology: 'orders', node: 'a', watermark: '2' }),
  editWatermark: () => ({ watermark: '2' }),
  resetWatermark: () => ({}),
  replaceWorker: () => ({ urls: ['http://127.0.0.1:2'] }),
  replaceService: () => ({ limits: [] }),
}

/** The thing that a path names, there. */
function named(path: string, { nodeId, hook, cursor, watermark, bulk }: Around): string {
  if (path.includes('/webhook')) return path.replace(/^.*\/webhook/, hook)
  return path
    .replace('{topology}', 'orders')
    .replace('/api/nodes/{id}', `/api/nodes/${nodeId}`)
    .replace('/api/trash/bulk/{id}', `/api/trash/bulk/${bulk}`)
    .replace('/api/trash/{id}', '/api/trash/orders-x1')
    .replace('/api/cursors/{id}', `/api/cursors/${cursor}`)
    .replace('/api/watermarks/{id}', `/api/watermarks/${watermark}`)
    .replace('/api/workers/{name}', '/api/workers/w')
    .replace('/api/services/{name}', '/api/services/geo')
}

function conditionalOperations(): string[] {
  const text = readFileSync(new URL('../../docs/openapi.json', import.meta.url), 'utf8')
  const { paths } = JSON.parse(text) as {
    paths: Record<string, Record<string, { operationId: string; responses: Record<string, unknown> }>>
  }
  const all = Object.values(paths).flatMap((item) => Object.values(item))
  return all.filter(({ responses }) => '412' in responses).map(({ operationId }) => operationId)
}

test('every change of a thing that has an ETag is a 412 with an old one, documented, and changes nothing', async () => {
  const changing = allOperations().filter(({ method, id }) => method !== 'GET' && unconditional[id] === undefined)
  expect(conditionalOperations().toSorted()).toEqual(changing.map(({ id }) => id).toSorted())
  const t = await openApi()
  const { node, cursor, watermark } = await withRuns(t, 'orders')
  await t.post('/api/services', { name: 'geo', limits: [{ rate: 1, per: 'second' }] })
  await t.post('/api/topologies', shop())
  const hook = `/api/nodes/${(await nodeOf(t, 'shop', 'paid')).id}/webhook`
  await t.get(hook)
  const { id: bulk } = (await t.post('/api/trash/bulk', { action: 'discard', filter: { topology: 'orders' } })).body
  const around = { t, nodeId: node.id, hook, cursor, watermark, bulk }
  const entries = async () => (await t.get('/api/audit?limit=500')).body.items.length
  const before = await entries()
  for (const { id, method, path } of changing) {
    const headers = { 'if-match': '"987654"' }
    const json = await bodies[id]?.(around)
    const isDrawing = id === 'replaceTopologyBpmn'
    const drawing = { raw: isDrawing ? await read(t, '/api/topologies/orders/schema.bpmn') : '' }
    const xml = { ...drawing, headers: { ...headers, 'content-type': 'application/xml' } }
    const { status } = await t.send(method, named(path, around), isDrawing ? xml : { json, headers })
    // The node of this one keeps no watermark, and that is looked at first.
    expect([id, status]).toEqual([id, id === 'setWatermark' ? 409 : 412])
  }
  expect(await entries()).toBe(before)
})
