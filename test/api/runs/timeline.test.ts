import { sql } from 'drizzle-orm'
import { expect, onTestFinished, test } from 'vitest'
import { streamName } from '../../../runtime/queue/names.ts'
import { eventually } from '../../support/eventually.ts'
import { nodeOf } from '../open.ts'
import { bridgeOf, ended, orders, start } from '../running.ts'
import { timeline, trashOf, twoRecords } from './flow.ts'

const fast = { attempts: 3, backoff: 'fixed', baseMs: 5, maxMs: 5 }

test('the timeline of a run has each node with what went on, what came of it and what it took', async () => {
  const { t } = await orders(({ node }) => (node === 'a' ? { body: 'x', afterMs: 5 } : { status: 204 }))
  await bridgeOf(t)
  const run = await start(t)
  await ended(t, run)
  const { nodes, events, complete, reruns } = await timeline(t, run)
  expect(nodes.map(({ node, messages, calls }) => ({ node, messages, calls }))).toMatchObject([
    { node: 'start', messages: { started: 1, forwarded: 1, done: 0 }, calls: 0 },
    { node: 'a', messages: { forwarded: 1, done: 0, failed: 0 }, calls: 1 },
    { node: 'b', messages: { forwarded: 0, done: 1 }, calls: 1 },
  ])
  expect((nodes[1]?.spent as { calledMs: number }).calledMs).toBeGreaterThanOrEqual(4)
  expect(events.map(({ kind }) => kind)).toEqual(['started', 'ended'])
  expect({ complete, reruns }).toEqual({ complete: true, reruns: [] })
})

test('of a message it is told how long it waited in each queue, its failed calls, Trash and replay', async () => {
  let failing = 2
  let isRefusing = true
  const { t } = await orders(
    ({ node }) => {
      if (node === 'a') return failing-- > 0 ? { status: 500 } : { body: 'x' }
      return { status: isRefusing ? 422 : 204 }
    },
    { a: { retry: fast } },
  )
  await bridgeOf(t)
  const run = await start(t)
  const [row] = await trashOf(t, run)
  expect((await timeline(t, run, run)).steps).toMatchObject([
    { node: 'start', state: 'forwarded', attempts: [] },
    { node: 'a', state: 'forwarded', calls: 3, page: 0, replay: 0, trash: null },
    { node: 'b', state: 'trashed', calls: 1, attempts: [{ status: 422 }], trash: { id: row?.id, settled: null } },
  ])
  isRefusing = false
  await t.post(`/api/trash/${row?.id}/replay`)
  const after = await eventually('it is replayed', async () => {
    const found = await timeline(t, run, run)
    return found.steps.at(-1)?.state === 'done' && found
  })
  expect(after.steps.slice(2)).toMatchObject([
    { state: 'trashed', trash: { settled: { as: 'replayed' } } },
    { node: 'b', state: 'done', replay: 1 },
  ])
  const isFinished = async () => (await t.get(`/api/runs/${run}`)).body.state === 'finished'
  await eventually('the run is finished', isFinished)
  const { nodes, events } = await timeline(t, run)
  expect(nodes[2]?.messages).toMatchObject({ failed: 1, replayed: 1, done: 1 })
  expect(events.map(({ kind, node }) => [kind, node])).toEqual([
    ['started', 'start'],
    ['trashed', 'b'],
    ['replayed', 'b'],
    ['ended', null],
  ])
})

test('a run of which the last failure is discarded after its end had failed then, and is finished since', async () => {
  const { t } = await orders(({ node }) => (node === 'b' ? { status: 422 } : { body: 'x' }))
  await bridgeOf(t)
  const run = await start(t)
  expect((await ended(t, run)).state).toBe('failed')
  const [row] = (await t.get(`/api/trash?run=${run}`)).body.items
  await t.post(`/api/trash/${row?.id}/discard`, {})
  await eventually('it is finished', async () => (await t.get(`/api/runs/${run}`)).body.state === 'finished')
  const { events } = await timeline(t, run)
  expect(events.map(({ kind, text }) => [kind, text]).slice(-3)).toEqual([
    ['ended', 'failed'],
    ['discarded', 'discarded'],
    ['ended', 'finished'],
  ])
})

test('what a message was split into is listed page by page, and each of them leads back to it', async () => {
  const pages = [
    { body: '[1,2,3]', cursor: { 'sluice-cursor': 'second' } },
    { body: '[4,5]', cursor: {} },
  ]
  const { t } = await orders(
    ({ node, headers }) => {
      if (node !== 'a') return { status: 204 }
      const { body, cursor } = pages[headers['sluice-cursor'] === undefined ? 0 : 1] ?? { body: '[]', cursor: {} }
      return { body, headers: { 'content-type': 'application/json', 'sluice-emit': 'records', ...cursor } }
    },
    { a: { type: 'batch' } },
  )
  await bridgeOf(t)
  const run = await start(t)
  await ended(t, run)
  expect((await timeline(t, run, run)).steps).toMatchObject([
    { node: 'start', state: 'forwarded' },
    { node: 'a', state: 'split', page: 0, made: 3 },
    { node: 'a', state: 'split', page: 1, made: 2 },
  ])
  const first = await t.get(`/api/runs/${run}/messages?limit=2`)
  expect(first.body).toMatchObject({
    total: 3,
    items: [{ id: `${run}#0.0`, node: 'b', state: 'done' }, { id: `${run}#0.1` }],
  })
  const second = await t.get(`/api/runs/${run}/messages?limit=2&after=${first.body.next}`)
  expect(second.body).toMatchObject({ items: [{ id: `${run}#0.2` }], next: null })
  const other = await t.get(`/api/runs/${run}/messages?page=1`)
  expect(other.body.items.map(({ id }) => id)).toEqual([`${run}#1.0`, `${run}#1.1`])
  const { body } = await t.get(`/api/runs/${run}/messages/${encodeURIComponent(`${run}#1.1`)}/timeline`)
  expect(body).toMatchObject({ parent: run, parentPage: 1, steps: [{ node: 'b', state: 'done', calls: 1 }] })
  const from = await t.get(`/api/runs/${run}/messages/${run}/timeline?page=1`)
  expect(from.body).toMatchObject({ steps: [{ node: 'a', page: 1, made: 2 }], nextPage: null })
})

test('a message that waits is said to wait, and what a bridge does with it', async () => {
  let release = (): void => undefined
  const released = new Promise<void>((resolve) => (release = resolve))
  onTestFinished(() => release())
  const { t, worker } = await orders(() => released.then(() => ({ status: 204 })))
  const run = await start(t)
  expect((await timeline(t, run, run)).steps).toMatchObject([{ node: 'start', state: 'waiting' }])
  await bridgeOf(t)
  await eventually('it is called', () => worker.open === 1)
  expect((await timeline(t, run, run)).steps).toMatchObject([
    { state: 'forwarded' },
    { node: 'a', state: 'waiting', held: { kind: 'calling' }, at: null },
  ])
})

test('after the window the run still has its nodes, Trash and end, and says since when messages are kept', async () => {
  const { t } = await orders(twoRecords(() => true))
  await bridgeOf(t)
  const run = await start(t)
  await ended(t, run)
  const before = await timeline(t, run)
  const [row] = await trashOf(t, run)
  const { topologyId } = await nodeOf(t, 'orders', 'a')
  await t.queues.connection.jsm.streams.purge(streamName(topologyId))
  const after = await timeline(t, run)
  expect(after).toMatchObject({ complete: false, since: null, nodes: before.nodes, events: before.events })
  expect(after.nodes).toMatchObject([{ node: 'start' }, { node: 'a', messages: { split: 1, made: 2 } }, { node: 'b' }])
  // Trash outlives the queues; what ended well is gone.
  expect(await timeline(t, run, `${run}.1`)).toMatchObject({
    steps: [{ node: 'b', state: 'trashed', trash: { id: row?.id } }],
  })
  const gone = await t.get(`/api/runs/${run}/messages/${run}.0/timeline`)
  expect(gone).toMatchObject({ status: 404, body: { detail: expect.stringContaining('any more') as string } })
  expect((await t.get(`/api/runs/${run}/messages`)).status).toBe(404)
})

test('a run of a million messages is told of as quickly as a small one', async () => {
  const { t } = await orders(() => ({ status: 204 }))
  const { topologyId, id } = await nodeOf(t, 'orders', 'b')
  await t.store.query((db) =>
    db.execute(sql`
      insert into runs (id, topology_id, topology_name, node_id, node_name, start_seen, started_at, done, failed, state)
      values ('huge', ${topologyId}, 'orders', ${id}, 'b', true, now(), 980000, 20000, 'failed')`),
  )
  await t.store.query((db) =>
    db.execute(sql`
      insert into run_milestones (run_id, nodes) values ('huge',
        json_build_object(${id}::text, json_build_object('name', 'b', 'first', 1e12, 'last', 2e12, 'done', 980000, 'failed', 20000)))`),
  )
  await t.store.query((db) =>
    db.execute(sql`
      insert into trash (id, topology_id, topology_name, node_id, node_name, revision, run_id, message_id, attempts, error,
        fingerprint, message, headers, content_type, body, created_at)
      select 'huge' || n, ${topologyId}, 'orders', ${id}, 'b', 1, 'huge', 'huge.' || n, '[]', '{"title":"no"}', 'f', '{}', '{}', 'text/plain', '', now()
      from generate_series(1, 20000) n`),
  )
  const begin = performance.now()
  const found = await timeline(t, 'huge')
  expect(performance.now() - begin).toBeLessThan(1_000)
  expect(found).toMatchObject({ nodes: [{ messages: { done: 980_000 } }], eventsComplete: false, trashOpen: 20_000 })
})

const hostile: readonly [what: string, path: string, status: number][] = [
  ['a run that is not there', '/api/runs/nobody/timeline', 404],
  ['a message that is not there', '/api/runs/RUN/messages/nobody/timeline', 404],
  ['a message of nobody', '/api/runs/RUN/messages/RUN.7.7.7/timeline', 404],
  ['a child of what was not split', '/api/runs/RUN/messages?of=RUN.9', 404],
  ['an id of a thousand levels', `/api/runs/RUN/messages/RUN${'.1'.repeat(480)}/timeline`, 404],
  ['an id that is too long', `/api/runs/RUN/messages/${'1'.repeat(1_001)}/timeline`, 400],
  ['wildcards of a subject', `/api/runs/RUN/messages/${encodeURIComponent('*.>')}/timeline`, 404],
  ['a NUL', '/api/runs/RUN/messages/%00/timeline', 404],
  ['a page that is no number', '/api/runs/RUN/messages/RUN/timeline?page=-1', 400],
  ['an empty page', '/api/runs/RUN/messages?page=', 400],
  ['a place of another list', '/api/runs/RUN/messages?after=bm8', 400],
  ['a limit over what is shown', '/api/runs/RUN/messages?limit=5000', 400],
]

test('what is not there, or wrong, or hostile is answered with a problem', async () => {
  const { t } = await orders(() => ({ status: 204 }))
  const run = await start(t)
  for (const [what, path, status] of hostile) {
    const answer = await t.get(path.replaceAll('RUN', run))
    expect(answer, what).toMatchObject({ status, body: { detail: expect.any(String) as string } })
  }
})

test('a token of another topology sees nothing of a run', async () => {
  const { t } = await orders(() => ({ status: 204 }))
  const run = await start(t)
  await t.post('/api/topologies', { name: 'other', nodes: [{ name: 'start', type: 'start' }], edges: [] })
  const scopes = ['read', 'operate', 'payload']
  const { token } = (await t.post('/api/tokens', { name: 'other', scopes, topology: 'other' })).body
  for (const path of ['timeline', 'messages', `messages/${run}/timeline`])
    expect((await t.send('GET', `/api/runs/${run}/${path}`, { token })).status).toBe(403)
  expect((await t.send('POST', `/api/runs/${run}/rerun`, { token })).status).toBe(403)
})
