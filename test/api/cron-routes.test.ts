import { expect, test } from 'vitest'
import { publishedNode } from './firing.ts'
import { nodeOf, openApi } from './open.ts'
import type { TestApi } from './open.ts'

const preview = (t: TestApi, query: Record<string, string>) =>
  t.get(`/api/cron/preview?${new URLSearchParams(query).toString()}`)

test('a preview has the next firings, in UTC and by the clock of the zone', async () => {
  const t = await openApi()
  const from = '2026-03-28T12:00:00Z'
  const answer = await preview(t, { expression: '30 2 * * *', timezone: 'Europe/Prague', count: '2', from })
  expect([answer.status, answer.body]).toEqual([
    200,
    {
      expression: '30 2 * * *',
      timezone: 'Europe/Prague',
      firings: [
        { at: '2026-03-29T01:00:00.000Z', local: '2026-03-29T03:00:00+02:00' },
        { at: '2026-03-30T00:30:00.000Z', local: '2026-03-30T02:30:00+02:00' },
      ],
    },
  ])
  const plain = await preview(t, { expression: '@every 15m' })
  expect(plain.body).toMatchObject({
    timezone: 'UTC',
    firings: Array(5).fill({ local: expect.stringMatching(/\+00:00$/) as string }),
  })
  const west = await preview(t, { expression: '0 6 * * *', timezone: 'America/St_Johns', count: '1', from })
  expect(west.body).toMatchObject({ firings: [{ local: '2026-03-29T06:00:00-02:30' }] })
})

test.each([
  [{}, 'expression'],
  [{ expression: '' }, 'expression'],
  [{ expression: '61 * * * *' }, 'expression'],
  [{ expression: '0 0 31 2 *' }, 'expression'],
  [{ expression: '* '.repeat(500) }, 'expression'],
  [{ expression: '* * * * *\u0000' }, 'expression'],
  [{ expression: '* * * * *', timezone: 'Mars/Base' }, 'timezone'],
  [{ expression: '* * * * *', timezone: '../../etc/passwd' }, 'timezone'],
  [{ expression: '* * * * *', count: '101' }, 'count'],
  [{ expression: '* * * * *', count: '-1' }, 'count'],
  [{ expression: '* * * * *', from: 'tomorrow' }, 'from'],
])('a preview of %j is refused, and says what is wrong', async (query, path) => {
  const { status, body } = await preview(await openApi(), query)
  expect([status, body.errors.map((error) => error.path)]).toEqual([400, [path]])
})

test('a draft with a schedule that is wrong is refused at save, with the fields', async () => {
  const t = await openApi()
  const nodes = (node: Record<string, unknown>) => ({ name: 'ticks', nodes: [{ name: 'tick', type: 'cron', ...node }] })
  const refused = async (node: Record<string, unknown>) => {
    const { status, body } = await t.post('/api/topologies', nodes(node))
    return [status, ...body.errors.map(({ path }) => path)]
  }
  expect(await refused({ cron: '0 25 * * *', timezone: 'Mars/Base' })).toEqual([
    400,
    'nodes[0].cron',
    'nodes[0].timezone',
  ])
  expect(await refused({ cron: 7 })).toEqual([400, 'nodes[0].cron'])
  const cron = '@daily'
  expect(await refused({ cron, overlap: 'never' })).toEqual([400, 'nodes[0].overlap'])
  expect(await refused({ cron, missed: 'all' })).toEqual([400, 'nodes[0].missed'])
  expect(await refused({ cron, message: { body: 'x'.repeat(70_000) } })).toEqual([400, 'nodes[0].message.body'])
  expect(await refused({ cron, message: { headers: { host: 'x' } } })).toEqual([
    400,
    expect.stringMatching(/^nodes.0..message.headers/),
  ])
  expect((await t.post('/api/topologies', nodes({}))).status).toBe(201)
  const { id } = await nodeOf(t, 'ticks', 'tick')
  const patch = async (change: object) => {
    const { status, body } = await t.send('PATCH', `/api/nodes/${id}`, { json: change })
    return [status, body.errors.map(({ path }) => path)]
  }
  expect(await patch({ cron: '* * *', timezone: 'Nowhere' })).toEqual([400, ['cron', 'timezone']])
  expect(await patch({ overlap: 'maybe' })).toEqual([400, ['overlap']])
})

test('values go back to what the document says, and other nodes have none of them', async () => {
  const t = await openApi()
  const { id } = await publishedNode(t, 'ticks', { cron: '@daily', timezone: 'Europe/Prague', overlap: 'queue' })
  const patch = (json: object) => t.send('PATCH', `/api/nodes/${id}`, { json })
  await patch({ timezone: 'Asia/Tokyo', overlap: 'allow', missed: 'skip' })
  const back = { timezone: null, overlap: null, missed: null }
  expect((await patch(back)).body).toMatchObject({ timezone: 'Europe/Prague', overlap: 'queue', missed: 'once' })
  const start = await publishedNode(t, 'starts', { type: 'start' })
  expect(start).toMatchObject({ cron: null, timezone: null, overlap: 'allow', missed: null, firing: null, queued: 0 })
  const refused = await t.send('PATCH', `/api/nodes/${start.id}`, { json: { timezone: 'UTC', missed: 'skip' } })
  expect([refused.status, refused.body.errors.map(({ path }) => path)]).toEqual([400, ['timezone', 'missed']])
})

test('cron nodes are listed over all topologies, page by page', async () => {
  const t = await openApi()
  for (const name of ['a', 'b']) await publishedNode(t, name, { cron: '@daily' })
  await t.post('/api/topologies', { name: 'c', nodes: [{ name: 'tick', type: 'cron' }] })
  const first = await t.get('/api/cron?limit=2')
  expect(first.body.items).toMatchObject([
    { topology: 'a', node: 'tick', cron: '@daily', timezone: 'UTC', overlap: 'skip', missed: 'once', active: true },
    { topology: 'b', nextAt: expect.any(String) as string, lastAt: null, skipped: 0, lastSkipped: null, queued: 0 },
  ])
  const rest = await t.get(`/api/cron?limit=2&after=${first.body.next}`)
  expect(rest.body).toMatchObject({
    items: [{ topology: 'c', active: false, inForce: null, nextAt: null }],
    next: null,
  })
  expect((await t.get('/api/cron?topology=b')).body.items).toHaveLength(1)
  expect((await t.get('/api/cron?after=eA')).status).toBe(400)
})
