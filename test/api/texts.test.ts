import { expect, test } from 'vitest'
import { nodeOf, openApi, published } from './open.ts'

test('what is wrong in a request is told in a sentence', async () => {
  const t = await openApi()
  await published(t, 'orders')
  const [start, a] = [await nodeOf(t, 'orders', 'start'), await nodeOf(t, 'orders', 'a')]
  const tail = await t.get(`/api/nodes/${a.id}/tail?after=x`)
  expect(tail.body.detail).toBe('the query has one fault: after expected `next` of an earlier answer')
  const enabled = await t.send('PATCH', `/api/nodes/${a.id}`, { json: { enabled: false } })
  expect(enabled.body.errors).toEqual([
    { path: 'enabled', message: 'a is a custom node, which has no enabled: pause it instead' },
  ])
  const prefetch = await t.send('PATCH', `/api/nodes/${start.id}`, { json: { prefetch: 2 } })
  expect(prefetch.body.errors).toMatchObject([
    { path: 'prefetch', message: 'start is a start node, which has no prefetch' },
  ])
  const bytes = await t.post(`/api/nodes/${a.id}/try`, { bodyBase64: '?' })
  expect(bytes.body.errors).toEqual([{ path: 'bodyBase64', message: 'expected base64' }])
  const long = { [`x-${'a'.repeat(101)}`]: 'y' }
  const headers = await t.send('POST', '/start/orders/start', { headers: long })
  expect(headers.body.detail).toMatch(/^the headers have one fault: /)
})
