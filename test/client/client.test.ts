import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import {
  answerOf,
  Conflict,
  dataOf,
  ifMatch,
  Invalid,
  LostRace,
  NotFound,
  openEngine,
  Refused,
  statusOf,
  Unavailable,
} from 'sluiceway/client'
import { listen } from '../../runtime/commands/listen.ts'
import { adminToken, chain, openApi } from '../api/open.ts'
import type { TestApi } from '../api/open.ts'
import { bridgeOf, orders } from '../api/running.ts'

async function serve(t: TestApi): Promise<string> {
  const listening = await listen({ port: 0, host: '127.0.0.1', chosenBy: 'the test' })
  onTestFinished(() => listening.close())
  listening.serve((request, env) => t.api.fetch(request, env))
  return listening.url
}

async function open() {
  const t = await openApi()
  return { t, engine: openEngine({ url: await serve(t), token: adminToken }) }
}

test('a change with the ETag of its read loses no race unnoticed', async () => {
  const { t, engine } = await open()
  await t.post('/api/topologies', chain('orders'))
  const params = { path: { topology: 'orders' } }
  const { data, etag } = await answerOf(engine.GET('/api/topologies/{topology}', { params }))
  expect(data.document.nodes.map(({ name }) => name)).toEqual(['start', 'a', 'b'])
  const body = { description: 'New orders' }
  const changed = await dataOf(engine.PATCH('/api/topologies/{topology}', { params, body, headers: ifMatch(etag) }))
  expect(changed.description).toBe('New orders')
  await expect(
    engine.PATCH('/api/topologies/{topology}', { params, body, headers: ifMatch(etag) }),
  ).rejects.toBeInstanceOf(LostRace)
})

test('what the engine refuses is thrown by its consequence, with what it answered as the cause', async () => {
  const { t, engine } = await open()
  await t.post('/api/topologies', chain('orders'))
  const wrong = await engine
    .POST('/api/topologies', { body: { name: 'A', nodes: [], edges: [] } })
    .catch((error: unknown) => error)
  expect(wrong).toBeInstanceOf(Invalid)
  expect((wrong as Invalid).cause).toBeInstanceOf(Refused)
  expect((wrong as Invalid).cause).toMatchObject({
    status: 400,
    errors: [{ path: 'name' }, { path: 'nodes' }],
    retryAfterMs: null,
  })
  await expect(engine.GET('/api/runs/{id}', { params: { path: { id: 'x' } } })).rejects.toBeInstanceOf(NotFound)
  await expect(
    engine.POST('/api/topologies', { body: { name: 'orders', nodes: [], edges: [] } }),
  ).rejects.toBeInstanceOf(Conflict)
  const stranger = openEngine({ url: engine.url, token: 'wrong' })
  const refused = await stranger.GET('/api/status').catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(Unavailable)
  expect(statusOf(refused)).toBe(401)
})

test('lists are walked page by page, as far as they are wanted', async () => {
  const { t, engine } = await open()
  for (const name of ['a', 'b', 'c']) await t.post('/api/services', { name })
  expect((await engine.list('/api/services')).map(({ name }) => name)).toEqual(['a', 'b', 'c'])
  expect((await engine.list('/api/services', {}, 2)).map(({ name }) => name)).toEqual(['a', 'b'])
  for await (const { name } of engine.items('/api/services')) {
    expect(name).toBe('a')
    break
  }
})

/** Answers every request alike. */
async function answering(status: number, headers: Record<string, string>, body: string): Promise<string> {
  const server = createServer((_, response) => response.writeHead(status, headers).end(body))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test.each([
  ['a page', 200, 'text/html', '<html>', /doesn't answer as an engine does: check its url/],
  ['broken JSON', 200, 'application/json', '{"items": [', /no JSON/],
  ['an error page', 502, 'text/html', '<html>', /doesn't answer as an engine does/],
  [
    'a refusal of the token',
    401,
    'application/problem+json',
    '{"title": "Unauthorized", "status": 401}',
    /give the right one with the option token$/,
  ],
  ['too many requests', 429, 'application/problem+json', '{"detail": "too full", "status": 429}', /^too full$/],
])('whatever answers with %s is unavailable', async (_, status, type, body, message) => {
  const url = await answering(status, { 'content-type': type, 'retry-after': '3', 'sluice-version': '0' }, body)
  const error = await dataOf(openEngine({ url, token: 't' }).GET('/api/topologies')).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(Unavailable)
  expect((error as Error).message).toMatch(message)
  if (status === 429) expect((error as Error).cause).toMatchObject({ retryAfterMs: 3_000 })
})

test('an engine that is silent is given up after the time-out', async () => {
  const server = createServer(() => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const asked = openEngine({ url, token: 't', timeoutMs: 100 }).GET('/api/status')
  await expect(asked).rejects.toThrow(
    `the engine at ${url} can't be reached (no answer within 100 ms): check its url and that it runs`,
  )
  server.closeAllConnections()
})

test('events begin with a place to go on from, and end with the signal', async () => {
  const { t, engine } = await open()
  await t.post('/api/workers', { name: 'w', urls: ['http://127.0.0.1:1'] })
  const stop = new AbortController()
  const seen: string[] = []
  for await (const event of engine.events({ kinds: ['worker'], signal: stop.signal })) {
    seen.push(event.kind)
    if (event.kind === 'hello') await t.send('PUT', '/api/workers/w', { json: { urls: ['http://127.0.0.1:2'] } })
    else expect(event.data).toMatchObject({ name: 'w', removed: false })
    if (event.kind === 'worker') stop.abort()
  }
  expect(seen).toEqual(['hello', 'worker'])
})

test('the snippet in docs/api.md runs', async () => {
  const snippet = /^```ts\n([^]*?)^```/m.exec(readFileSync('docs/api.md', 'utf8'))?.[1] ?? ''
  const { t } = await orders(async () => {
    await delay(1_500)
    return { status: 200, body: '1' }
  })
  await bridgeOf(t)
  const code = snippet.replace('http://127.0.0.1:8484', await serve(t)).replace('the token', adminToken)
  const node = ['--import', 'tsx', '--conditions=source', '--input-type=module', '-e', code]
  const { stdout, stderr } = await promisify(execFile)(process.execPath, node, { timeout: 25_000 })
  expect({ stdout, stderr }).toEqual({ stdout: '', stderr: '' })
})
