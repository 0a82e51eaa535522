import { expect, test } from 'vitest'
import { tokenOf, withRuns } from '../access/world.ts'
import { chain, nodeOf, openApi, published } from './open.ts'
import type { TestApi } from './open.ts'

/** `orders` is published and has failures, `invoices` rests, `drafted` is a draft. */
async function three(): Promise<TestApi> {
  const t = await openApi()
  await withRuns(t, 'orders')
  await published(t, 'invoices')
  await t.post('/api/topologies', { ...chain('drafted'), description: 'Later: Orders again', labels: { team: 'shop' } })
  const labels = { team: 'shop', tier: '1' }
  await t.send('PATCH', '/api/topologies/invoices', { json: { paused: true, labels } })
  return t
}

const names = async (t: TestApi, query: string): Promise<string[]> =>
  (await t.get(`/api/overview?${query}`)).body.items.map(({ name }) => name)

test('an overview says of each topology how it is, whether or not it is published', async () => {
  const t = await three()
  const { body } = await t.get('/api/overview')
  expect(body).toMatchObject({ total: 3, next: null })
  const [drafted, invoices, orders] = body.items
  expect(drafted).toMatchObject({ name: 'drafted', visibility: 'draft', nodes: 3, attention: [], lastRun: null })
  expect(invoices).toMatchObject({
    paused: true,
    pausedReason: expect.stringContaining('admin') as unknown,
    openTrash: 0,
  })
  expect(orders).toMatchObject({ openTrash: 2, attention: ['trash'], ratePerSecond: 0 })
  expect(orders).toMatchObject({ lastRun: { id: expect.stringMatching(/^orders-/) as unknown } })
  const run = orders as unknown as { lastRun: { id: string; startedAt: string } }
  const { body: whole } = await t.get(`/api/runs/${run.lastRun.id}`)
  expect(whole).toMatchObject({ startedAt: run.lastRun.startedAt })
  expect(JSON.stringify(body)).not.toContain('document')
})

test.each<[string, string[]]>([
  ['text=ORDER', ['drafted', 'orders']],
  ['text=%25', []],
  ['labels=team%3Dshop', ['drafted', 'invoices']],
  ['labels=team%3Dshop,tier', ['invoices']],
  ['labels=tier%3D2', []],
  ['show=published', ['invoices', 'orders']],
  ['show=draft', ['drafted']],
  ['show=paused', ['invoices']],
  ['show=disabled', []],
  ['show=attention', ['orders']],
  ['show=attention&text=in', []],
])('the overview with %s shows %j', async (query, expected) => {
  const t = await three()
  expect(await names(t, query)).toEqual(expected)
})

test('an overview has pages, of which each says how many there are in all', async () => {
  const t = await three()
  const first = (await t.get('/api/overview?limit=2')).body
  expect(first).toMatchObject({ items: [{ name: 'drafted' }, { name: 'invoices' }], total: 3 })
  const second = (await t.get(`/api/overview?limit=2&after=${first.next ?? ''}`)).body
  expect(second).toMatchObject({ items: [{ name: 'orders' }], total: 3, next: null })
})

test('what is searched for is found by its name or its id', async () => {
  const t = await three()
  const found = async (text: string) =>
    (await t.get(`/api/search?text=${encodeURIComponent(text)}`)).body.items.map((one) => [one.kind, one.name])
  expect(await found('voic')).toEqual([['topology', 'invoices']])
  expect(await found('ORDERS')).toEqual([['topology', 'orders']])
  expect((await found('a')).filter(([kind]) => kind === 'node')[0]).toEqual(['node', 'a'])
  const node = await nodeOf(t, 'orders', 'b')
  expect(await found(node.id)).toEqual([['node', 'b']])
  expect(await found('orders-run')).toEqual([['run', 'start']])
  const trash = (await t.get('/api/trash')).body.items[0]
  expect(await found((trash?.id ?? '').slice(0, -1))).toContainEqual(['trash', 'a'])
  expect(await found("'; drop table runs")).toEqual([])
  expect(await found('%')).toEqual([])
})

test('a token of one topology sees and finds that one only', async () => {
  const t = await three()
  const { id } = (await t.get('/api/topologies/invoices')).body
  const token = await tokenOf(t, ['read'], { topologyId: id })
  const overview = (await t.send('GET', '/api/overview', { token })).body
  expect([overview.items.map(({ name }) => name), (overview as unknown as { total: number }).total]).toEqual([
    ['invoices'],
    1,
  ])
  const found = (await t.send('GET', '/api/search?text=o', { token })).body.items
  expect([...new Set(found.map((one) => one.topologyId))]).toEqual([id])
  expect((await t.send('GET', '/api/search?text=orders', { token })).body.items).toEqual([])
})
