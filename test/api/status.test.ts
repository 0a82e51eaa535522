import { expect, test } from 'vitest'
import type { HistoryReport } from '../../runtime/queue/janitor/janitor.ts'
import { applyOutcomes, position } from '../../runtime/store/outcomes.ts'
import { trashed } from '../store/outcome-samples.ts'
import { examineTopologies } from '../../runtime/commands/doctor/engine.ts'
import type { Status } from '../../runtime/client/openapi.d.ts'
import { beat, nodeOf, openApi, published } from './open.ts'
import type { TestApi } from './open.ts'

const since = '2026-03-01T10:00:00.000Z'
const stored = { bytes: 9, oldestAt: new Date(since), isFull: false, heldBack: null }

/** Messages of a topology in Trash, as the recorder would have written them. */
async function putInTrash(t: TestApi, topologyId: string, count: number): Promise<void> {
  const from = await position(t.store, topologyId, 'e')
  const outcomes = Array.from({ length: count }, (_, n) => trashed(topologyId, `${topologyId}-${n}`))
  await applyOutcomes(t.store, topologyId, { epoch: 'e', from, to: from + count }, outcomes)
}

const statusOf = async (t: TestApi): Promise<Status> => (await t.get('/api/status')).body as unknown as Status

/** Published: `fine`, `full`, `broken` (a breaker), `held`, and two with Trash, of which `worse` has more. */
async function withTroubles(): Promise<TestApi> {
  const reports = new Map<string, HistoryReport>()
  const t = await openApi({ histories: () => reports })
  const ids = new Map<string, string>()
  for (const name of ['bad', 'broken', 'fine', 'full', 'held', 'worse']) ids.set(name, (await published(t, name)).id)
  const idOf = (name: string): string => ids.get(name) ?? ''
  for (const [name, count] of [
    ['bad', 1],
    ['worse', 3],
  ] as const)
    await putInTrash(t, idOf(name), count)
  reports.set(idOf('full'), { ...stored, isFull: true })
  reports.set(idOf('held'), {
    ...stored,
    heldBack: { nodeId: (await nodeOf(t, 'held', 'b')).id, since: null, bytes: 5 },
  })
  reports.set(idOf('fine'), stored)
  reports.set('deleted', { ...stored, isFull: true })
  const { id: node } = await nodeOf(t, 'broken', 'a')
  await beat(t, 'b1', { nodes: [{ node, state: 'open', since, reason: 'time-out' }] })
  return t
}

test('the status names the topologies that need attention, the worst first, and counts all', async () => {
  const t = await withTroubles()
  const { topologies, totals } = await statusOf(t)
  expect(topologies.map(({ name, attention, openTrash }) => [name, attention, openTrash])).toEqual([
    ['full', ['queues-full'], 0],
    ['broken', ['breaker'], 0],
    ['held', ['held-back'], 0],
    ['worse', ['trash'], 3],
    ['bad', ['trash'], 1],
  ])
  expect(topologies[2]?.history?.heldBack).toMatchObject({ node: 'b', bytes: 5 })
  expect(totals).toEqual({ published: 6, disabled: 0, paused: 0, outOfSync: 0, needAttention: 5, openTrash: 4 })
  await t.send('PATCH', '/api/topologies/fine', { json: { paused: true, enabled: false } })
  await t.post('/api/topologies/worse/unpublish')
  const later = { published: 5, disabled: 1, paused: 1, needAttention: 4, openTrash: 1 }
  expect((await statusOf(t)).totals).toMatchObject(later)
})

test('every published topology is in the list of their states, page by page', async () => {
  const t = await withTroubles()
  await t.post('/api/topologies', { name: 'draft', nodes: [], edges: [] })
  const seen: unknown[] = []
  for (let after = ''; ;) {
    const { body } = await t.get(`/api/status/topologies?limit=4${after}`)
    seen.push(
      ...body.items
        .map((item) => item as unknown as Status['topologies'][number])
        .map((one) => [one.name, one.attention]),
    )
    if (body.next === null) break
    after = `&after=${body.next}`
  }
  expect(seen).toEqual([
    ['bad', ['trash']],
    ['broken', ['breaker']],
    ['fine', []],
    ['full', ['queues-full']],
    ['held', ['held-back']],
    ['worse', ['trash']],
  ])
  for (const query of ['after=nonsense!', 'limit=0', 'limit=501'])
    expect([query, (await t.get(`/api/status/topologies?${query}`)).status]).toEqual([query, 400])
})

test('queues are read page by page, each node once, over all topologies or of one', async () => {
  const t = await openApi()
  for (const name of ['a', 'b', 'c']) await published(t, name)
  const walk = async (query: string): Promise<string[]> => {
    const seen: string[] = []
    for (let after = ''; ;) {
      const { body } = await t.get(`/api/queues?limit=2${query}${after}`)
      expect(body.items.length).toBeLessThanOrEqual(2)
      seen.push(
        ...body.items
          .map((item) => item as unknown as Record<'topology' | 'node', string>)
          .map((q) => `${q.topology}/${q.node}`),
      )
      if (body.next === null) return seen
      after = `&after=${body.next}`
    }
  }
  const all = ['a', 'b', 'c'].flatMap((name) => ['start', 'a', 'b'].map((node) => `${name}/${node}`))
  expect(await walk('')).toEqual(all)
  expect(await walk('&topology=b')).toEqual(all.slice(3, 6))
  const { body } = await t.get('/api/queues?limit=4')
  await t.post('/api/topologies/b/unpublish')
  expect((await t.get(`/api/queues?after=${body.next}`)).body.items).toMatchObject([{ topology: 'c' }, {}, {}])
  const mark = (text: string): string => Buffer.from(text).toString('base64url')
  for (const after of ['x', mark('no number'), mark('1/'), mark('-1/a'), mark('1/a\0'), mark('9'.repeat(10) + '/a')])
    expect([after, (await t.get(`/api/queues?after=${after}`)).status]).toEqual([after, 400])
})

test('doctor tells of full queues, or how many topologies need attention', async () => {
  const t = await withTroubles()
  const full = examineTopologies(await statusOf(t))
  expect(full).toMatchObject(
    [{ state: 'wrong', text: /those of full are over/ }].map(({ state, text }) => ({
      state,
      text: expect.stringMatching(text) as string,
    })),
  )
  const totals = { published: 9, disabled: 0, paused: 0, outOfSync: 0, needAttention: 2, openTrash: 7 }
  expect(examineTopologies({ topologies: [], totals })[0]?.text).toBe(
    '9 topologies are published, 7 of their messages lie in Trash; 2 need attention: see `sluice get status`',
  )
  expect(examineTopologies({ topologies: [], totals: null })).toEqual([])
})

test('the status says of each bridge its version and how many plans it lacks, and how safe queues are', async () => {
  const t = await openApi()
  const { id } = await published(t, 'a')
  await published(t, 'b')
  await beat(t, 'old', {})
  await beat(t, 'new', { version: '9.9.9', revisions: { [id]: 1 } })
  const { bridges, nats } = await statusOf(t)
  expect(bridges.map(({ id, version, behind }) => [id, version, behind]).toSorted()).toEqual([
    ['new', '9.9.9', 1],
    ['old', null, 2],
  ])
  expect(nats).toMatchObject({ copies: 1, isCluster: false, limitBytes: null })
})
