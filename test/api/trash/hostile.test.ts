import { expect, test } from 'vitest'
import { withRuns } from '../../access/world.ts'
import { openApi } from '../open.ts'
import type { Answer, Sending, TestApi } from '../open.ts'

/** Of every route of Trash: what is wrong, huge, empty or hostile is refused as a problem with what is wrong, and nothing is changed. */
const problem = 'application/problem+json'
const json = { 'content-type': 'application/json' }

async function world(): Promise<TestApi & { unchanged(): Promise<void> }> {
  const t = await openApi()
  await withRuns(t, 'orders')
  const state = async () => {
    const { items } = (await t.get('/api/trash')).body
    return [items, (await t.get('/api/trash/orders-x1')).text, (await t.get('/api/trash/bulk')).text]
  }
  const before = await state()
  return { ...t, unchanged: async () => expect(await state()).toEqual(before) }
}

/** A refusal is a problem that says what is wrong, and shows nothing of the engine. */
function refusal({ status, headers, body, text }: Answer): number {
  expect(text).not.toMatch(/ {4}at |select |trash_/)
  expect([headers.get('content-type'), body.detail]).toEqual([problem, expect.stringMatching(/./)])
  return status
}

const ids = [
  'nope',
  '%00',
  '%',
  '%zz',
  '%ED%A0%80',
  '..%2f..%2fetc',
  '%F0%9F%90%8E',
  'a'.repeat(5_000),
  "'; drop table trash",
]

test.each(ids)('the id %s is a 404 wherever Trash has ids, and is changed nowhere', async (id) => {
  const t = await world()
  const one = `/api/trash/${id}`
  const reads = [one, `${one}/body`, `${one}/difference`, `/api/trash/bulk/${id}`, `/api/trash/bulk/${id}/messages`]
  const changes = [
    `${one}/replay`,
    `${one}/discard`,
    ...['pause', 'resume', 'cancel'].map((wish) => `/api/trash/bulk/${id}/${wish}`),
  ]
  for (const path of reads) expect([path, refusal(await t.get(path))]).toEqual([path, 404])
  for (const path of changes) expect([path, refusal(await t.post(path, {}))]).toEqual([path, 404])
  expect(refusal(await t.send('PUT', one, { json: { body: 1 } }))).toBe(404)
  await t.unchanged()
})

const filters = [
  ...[
    'state=lost',
    'state=',
    'since=yesterday',
    'until=0000-01-01T00:00:00Z',
    'since=+010000-01-01T00:00:00Z',
    'since=',
  ],
  ...['text', 'body', 'tenant', 'topology', 'node', 'run', 'fingerprint'].map((name) => `${name}=%00`),
  ...['body=', 'colour=red'],
  ...['text', 'tenant', 'body', 'topology', 'node', 'run', 'fingerprint'].map((name) => `${name}=${'x'.repeat(201)}`),
]

test.each([
  [
    '/api/trash',
    [...filters, 'limit=0', 'limit=501', 'limit=1e99', 'limit=x', 'after=%00', 'after=AAAA', 'after=bm9uc2Vuc2U'],
  ],
  ['/api/trash/groups', [...filters, 'limit=0', 'limit=-1', 'after=x']],
  ['/api/trash/export', [...filters, 'limit=1']],
  [
    '/api/trash/bulk',
    ['state=lost', 'state=', 'limit=0', 'after=bm9uc2Vuc2U', `topology=${'x'.repeat(201)}`, 'colour=red'],
  ],
  ['/api/trash/orders-x1/body', ['version=-1', 'version=1.5', 'version=x', 'version=', 'version=1e3', 'colour=red']],
  ['/api/trash/orders-x1/difference', ['from=-1', 'to=x', 'to=9999999999', 'colour=red']],
])('a query of %s that says nothing sensible is a 400', async (path, queries) => {
  const t = await openApi()
  await withRuns(t, 'orders')
  for (const query of queries) expect([query, refusal(await t.get(`${path}?${query}`))]).toEqual([query, 400])
})

test('a filter of which nothing can be found, however strange, leaves nothing', async () => {
  const t = await openApi()
  await withRuns(t, 'orders')
  for (const query of ['text=%5C', 'text=%5C%25_', "tenant=' or 1=1 --", 'text=%ED%A0%80', 'run=%25']) {
    for (const path of ['/api/trash', '/api/trash/groups'])
      expect([path, query, (await t.get(`${path}?${query}`)).body.items]).toEqual([path, query, []])
    expect([query, (await t.get(`/api/trash/export?${query}`)).text]).toEqual([query, ''])
  }
})

/** Each route that takes JSON, with what it would take. */
const takers: readonly (readonly [method: string, path: string, good: Record<string, unknown>])[] = [
  ['PUT', '/api/trash/orders-x1', { body: 1, reason: 'why' }],
  ['POST', '/api/trash/orders-x1/replay', { node: 'a' }],
  ['POST', '/api/trash/orders-x1/discard', { reason: 'why' }],
  ['POST', '/api/trash/erase', { tenant: 'ann' }],
  ['POST', '/api/trash/bulk', { action: 'discard', filter: { topology: 'orders' } }],
  ['POST', '/api/trash/bulk/preview', { action: 'discard', filter: { topology: 'orders' } }],
]

const bodies: readonly (readonly [what: string, raw: (good: string) => string | Uint8Array, status: number])[] = [
  ['no JSON', () => '{', 400],
  ['a list', (good) => `[${good}]`, 400],
  ['a text', () => '"a"', 400],
  ['null', () => 'null', 400],
  ['two documents', (good) => `${good}${good}`, 400],
  ['an unknown key', (good) => good.replace('{', '{"colour":"red",'), 400],
  ['a prototype', (good) => good.replace('{', '{"__proto__":{"a":1},'), 400],
  ['a NUL in a key', (good) => good.replace('{', '{"\\u0000":1,'), 400],
  ['a NUL between', (good) => `${good}\u0000`, 400],
  ['a NUL in a text', (good) => good.replace(/"(why|a|ann|orders)"/, '"\\u0000"'), 400],
  ['half of an emoji', (good) => good.replace(/"(why|a|ann|orders)"/, '"\\ud83d"'), 400],
  ['a number for a text', (good) => good.replace(/"(why|a|ann|orders)"/, '5'), 400],
  ['a list for a text', (good) => good.replace(/"(why|a|ann|orders)"/, '[]'), 400],
  ['a text of 2 000 letters', (good) => good.replace(/"(why|a|ann|orders)"/, `"${'x'.repeat(2_000)}"`), 400],
  ['nested too deep', (good) => good.replace('{', `{"x":${'['.repeat(5_000)}${']'.repeat(5_000)},`), 400],
  [
    'broken UTF-8',
    (good) => Buffer.concat([Buffer.from(good.slice(0, -2)), Buffer.of(0xc3, 0x28), Buffer.from('"}')]),
    400,
  ],
  ['UTF-16', (good) => Buffer.from(`\ufeff${good}`, 'utf16le'), 400],
  ['8 MiB and one byte', (good) => `${good}${' '.repeat(8 * 1024 * 1024 + 1 - good.length)}`, 413],
]

test.each(takers)('%s %s takes no body that is none, and nothing is changed by it', async (method, path, good) => {
  const t = await world()
  const send = (raw: string | Uint8Array, headers: Record<string, string> = json) =>
    t.send(method, path, { raw, headers })
  for (const [what, raw, status] of bodies)
    expect([what, refusal(await send(raw(JSON.stringify(good))))]).toEqual([what, status])
  for (const type of ['text/plain', 'application/x-ndjson', 'application/jsonx'])
    expect(refusal(await send(JSON.stringify(good), { 'content-type': type }))).toBe(415)
  expect(refusal(await send(JSON.stringify(good), { ...json, 'content-encoding': 'gzip' }))).toBe(415)
  await t.unchanged()
  expect((await send(`\ufeff${JSON.stringify(good)}`)).status).toBeLessThan(300)
})

test('an edit that is none says which field is wrong', async () => {
  const t = await world()
  for (const [edit, path] of [
    [{ body: 1, bodyBase64: 'MQ==' }, 'body'],
    [{ bodyBase64: '?' }, 'bodyBase64'],
    [{ bodyBase64: 7 }, 'bodyBase64'],
    [{ contentType: 'a\nb' }, 'contentType'],
    [{ contentType: 'ž/x' }, 'contentType'],
    [{ contentType: 'x'.repeat(300) }, 'contentType'],
    [{ contentType: 'text/plain', body: {} }, 'body'],
    [{ headers: { host: 'x' } }, 'headers.host'],
    [{ headers: { 'x-a': 'b\r\nx-c: d' } }, 'headers.x-a'],
    [{ headers: { 'x-a': 'x'.repeat(5_000) } }, 'headers.x-a'],
    [{ headers: { 'x-a': 1 } }, 'headers.x-a'],
    [{ headers: [] }, 'headers'],
    [{ reason: 'x'.repeat(1_001) }, 'reason'],
  ] as const) {
    const answer = await t.send('PUT', '/api/trash/orders-x1', { json: edit })
    expect([edit, refusal(answer), answer.body.errors[0]?.path]).toEqual([edit, 400, path])
  }
  const numbers = `{"body":[${'1e20,'.repeat(1024 * 1024)}1]}`
  expect(refusal(await t.send('PUT', '/api/trash/orders-x1', { raw: numbers, headers: json }))).toBe(413)
  await t.unchanged()
})

test('a body may hold anything, also what Postgres could not store as a text', async () => {
  const t = await world()
  const body = { 'a\u0000b': '\ud800', n: null }
  expect((await t.send('PUT', '/api/trash/orders-x1', { json: { body } })).body).toMatchObject({ versions: [{ body }] })
  expect((await t.get('/api/trash/orders-x1/difference')).status).toBe(200)
})

test('what is not the ETag of the newest version changes nothing', async () => {
  const t = await world()
  const asked: readonly (readonly [method: string, path: string, sending: Sending])[] = [
    ['PUT', '/api/trash/orders-x1', { json: { body: 1 } }],
    ['POST', '/api/trash/orders-x1/replay', { json: {} }],
    ['POST', '/api/trash/orders-x1/discard', { json: {} }],
  ]
  for (const [method, path, sending] of asked)
    for (const [tag, status] of [
      ['3', 400],
      ['"x"', 400],
      ['""', 400],
      ['"1", "0"', 400],
      ['"9999999999"', 400],
      ['"7"', 412],
    ] as const)
      expect([path, tag, refusal(await t.send(method, path, { ...sending, headers: { 'if-match': tag } }))]).toEqual([
        path,
        tag,
        status,
      ])
  await t.unchanged()
})
