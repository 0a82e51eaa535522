import { expect, test } from 'vitest'
import { fingerprintOf } from '../../runtime/secrets.ts'
import { beat, nodeOf, openApi, published, secretKey } from './open.ts'

const since = '2026-03-01T10:00:00.000Z'
const reason = 'the secret is encrypted with another key'
const none = { worker: null, topology: null, node: null, nodeId: null, yielding: false }

test('what keeps a bridge from some of its work is said of it, with the names of nodes', async () => {
  const t = await openApi()
  await published(t, 'orders')
  const { id: nodeId } = await nodeOf(t, 'orders', 'a')
  await beat(t, 'b1', { secretKey: fingerprintOf(secretKey) })
  await beat(t, 'b2', {
    secretKey: fingerprintOf('another key'),
    troubles: [{ worker: 'w', reason, since, yielding: true }],
    nodes: [{ node: nodeId, state: 'open', since, reason: 'time-out' }],
  })
  const { bridges } = (await t.get('/api/status')).body as unknown as { bridges: { id: string; trouble: unknown }[] }
  const troubles = new Map(bridges.map(({ id, trouble }) => [id, trouble]))
  expect(troubles.get('b1')).toEqual([])
  expect(troubles.get('b2')).toEqual([
    { ...none, kind: 'secret-key', since: null, reason: expect.stringContaining('SLUICE_SECRET_KEY') as string },
    { ...none, kind: 'worker', worker: 'w', reason, since, yielding: true },
    { ...none, kind: 'node', topology: 'orders', node: 'a', nodeId, reason: 'time-out', since },
  ])
})

test('a bridge of an older version that says nothing of its trouble has none', async () => {
  const t = await openApi()
  await beat(t, 'old')
  expect((await t.get('/api/status')).body).toMatchObject({ bridges: [{ id: 'old', trouble: [] }] })
})

test('a worker that only a bridge with another key knows is unusable, and says why', async () => {
  const t = await openApi()
  const url = 'http://127.0.0.1:1'
  await t.post('/api/workers', { name: 'w', urls: [url], dialect: 'orchesty', secret: 'whsec_1' })
  await beat(t, 'b1', { troubles: [{ worker: 'w', reason, since, yielding: false }] })
  const seenBy = [{ bridge: 'b1', host: 'h', state: 'unusable', since, reason }]
  const unusable = { url, state: 'unusable', since, reason, inFlight: 0, seenBy }
  expect((await t.get('/api/workers/w')).body.instances).toEqual([unusable])
  const view = { worker: 'w', url, state: 'closed', since, reason: null, inFlight: 1 } as const
  await beat(t, 'b2', { instances: [view] })
  expect((await t.get('/api/workers/w')).body.instances).toEqual([
    { url, state: 'closed', since, reason: null, inFlight: 1, seenBy },
  ])
})
