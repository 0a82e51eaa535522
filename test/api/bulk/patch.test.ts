import { expect, test } from 'vitest'
import { saveManifest } from '../../../runtime/store/queries/workers.ts'
import { tokenOf } from '../../access/world.ts'
import { eventually } from '../../support/eventually.ts'
import { openApi, published } from '../open.ts'
import { bulk, control, failed, outcomes, until } from './flow.ts'

const all = { topology: 'orders' }
const operations = [
  { op: 'test', path: '/n', value: 1 },
  { op: 'add', path: '/mended', value: true },
]
const patch = { type: 'json-patch', operations }

test('a patch is seen on samples before anything changes; what it cannot be applied to stays open as it was', async () => {
  const world = await failed(3)
  world.takes(() => true)
  const preview = await world.t.post('/api/trash/bulk/preview', { action: 'replay', filter: all, patch })
  expect(preview.body).toMatchObject({ count: 3, samples: expect.any(Array) as unknown })
  const { samples } = preview.body as unknown as { samples: { before: { n: number } }[] }
  const sample = (n: number) => samples.find(({ before }) => before.n === n)
  expect(sample(0)).toMatchObject({
    before: { n: 0 },
    after: null,
    difference: [],
    faults: ['the patch can\'t be applied: operation 0 (test "/n"): the value there is another one'],
  })
  expect(sample(1)).toMatchObject({
    after: { n: 1, mended: true },
    difference: [{ path: '/mended', after: true }],
    faults: [],
  })
  const { id } = await bulk(world, { action: 'replay', filter: all, patch })
  control(world)
  const done = await until(world, id, ({ state }) => state === 'finished')
  expect(done.messages).toMatchObject({ total: 3, done: 1, refused: 2 })
  expect(world.called()).toEqual(['{"n":1,"mended":true}'])
  const listed = await outcomes(world, id)
  const [refused, sent] = ['refused', 'done'].map((of) => listed.find(({ outcome }) => outcome === of))
  const shown = async (one: typeof sent) => (await world.t.get(`/api/trash/${String(one?.trashId)}`)).body
  expect(await shown(refused)).toMatchObject({ state: 'open', versions: [] })
  const replayed = await eventually('it is recorded', async () => {
    const body = await shown(sent)
    return body['state'] === 'replayed' && body
  })
  expect(replayed).toMatchObject({
    body: { n: 1 },
    versions: [{ version: 1, by: 'admin', reason: `bulk ${id}`, body: { n: 1, mended: true } }],
  })
})

test('many are discarded with a reason, also of a topology that is deleted', async () => {
  const world = await failed(4)
  const open = (await world.t.get('/api/trash?state=open')).body.items
  const ids = open.slice(0, 2).map(({ id }) => id)
  control(world)
  const some = await bulk(world, { action: 'discard', filter: { ids }, reason: 'test orders' })
  expect((await until(world, some.id, ({ state }) => state === 'finished')).messages).toMatchObject({ discarded: 2 })
  expect((await until(world, some.id, () => true)).topologyId).toBeNull()
  await world.t.send('DELETE', '/api/topologies/orders?force=true')
  await eventually('it is deleted', async () => (await world.t.get('/api/topologies/orders')).status === 404)
  await until(world, some.id, () => true)
  const rest = await bulk(world, { action: 'discard', filter: { run: world.run } })
  expect((await until(world, rest.id, ({ state }) => state === 'finished')).messages).toMatchObject({ discarded: 2 })
  await eventually('all are recorded', async () => {
    const { items } = (await world.t.get('/api/trash?state=discarded')).body
    return items.length === 4
  })
})

test('what does not fit the input schema as it is patched is refused and unchanged, unless that is accepted', async () => {
  const world = await failed(3)
  const { t } = world
  world.takes(() => true)
  const input = { type: 'object', properties: { n: { maximum: 1 }, mended: { const: true } } }
  await saveManifest(t.store, 'w', { protocol: 1, worker: 'w', nodes: [{ name: 'b', type: 'connector', input }] })
  const ask = { action: 'replay', filter: all, patch: { type: 'merge-patch', value: { mended: true } } }
  const preview = async (more: object) => {
    const { body } = await t.post('/api/trash/bulk/preview', { ...ask, ...more })
    return (body as unknown as { samples: { faults: string[] }[] }).samples.flatMap(({ faults }) => faults)
  }
  const why = 'it doesn\'t fit the input schema of "b"'
  expect(await preview({})).toEqual([`${why} (/n must be <= 1)`])
  expect(await preview({ acceptWarnings: true })).toEqual([])
  control(world)
  const { id } = await bulk(world, ask)
  const done = await until(world, id, ({ state }) => state === 'finished')
  expect(done).toMatchObject({ acceptWarnings: false, messages: { done: 2, refused: 1 } })
  const refused = (await outcomes(world, id)).find(({ outcome }) => outcome === 'refused')
  expect(refused).toMatchObject({ outcome: 'refused', why: `${why} (/n must be <= 1)` })
  const token = await tokenOf(t, ['read'])
  const blind = await t.send('GET', `/api/trash/bulk/${id}/messages?outcome=refused`, { token })
  expect(blind.body.items).toMatchObject([{ why }])
  const message = await t.get(`/api/trash/${String(refused?.trashId)}`)
  expect(message.body).toMatchObject({ state: 'open', versions: [] })
  const again = await bulk(world, { ...ask, acceptWarnings: true })
  expect((await until(world, again.id, ({ state }) => state === 'finished')).messages).toMatchObject({ done: 1 })
  expect(world.called()).toContain('{"n":2,"mended":true}')
})

test('a filter looks into bodies for those who may see them, and is shown to nobody else', async () => {
  const world = await failed(3)
  const { t } = world
  const json = { action: 'discard', filter: { ...all, body: '"n":1' } }
  const operate = await tokenOf(t, ['read', 'operate'])
  expect((await t.send('POST', '/api/trash/bulk', { json, token: operate })).status).toBe(403)
  expect((await t.post('/api/trash/bulk/preview', json)).body).toMatchObject({ count: 1, samples: [{}] })
  const { id, ...made } = await bulk(world, json)
  expect(made).toMatchObject({ messages: { total: 1 }, filter: json.filter })
  const shown = await t.send('GET', `/api/trash/bulk/${id}`, { token: operate })
  expect(shown.body).toMatchObject({ filter: all })
  expect(shown.text).not.toContain('n\\":1')
  expect((await t.get('/api/audit')).text).not.toContain('n\\":1')
})

test('a fault at a name that can not be stored is told without what is wrong with the name', async () => {
  const world = await failed(1)
  const { t } = world
  const input = { additionalProperties: { type: 'string' } }
  const [row] = (await t.get('/api/trash?state=open')).body.items
  await t.send('PUT', `/api/trash/${String(row?.id)}`, { json: { body: { 'a\u0000b\ud800': 1 } } })
  await saveManifest(t.store, 'w', { protocol: 1, worker: 'w', nodes: [{ name: 'b', type: 'connector', input }] })
  control(world)
  const { id } = await bulk(world, { action: 'replay', filter: all })
  await until(world, id, ({ state }) => state === 'finished')
  const why = 'it doesn\'t fit the input schema of "b" (/a\ufffdb\ufffd must be string)'
  expect(await outcomes(world, id)).toMatchObject([{ outcome: 'refused', why }])
})

/** Messages that `b` takes only if a pattern finds their text; of some of them it never ends. */
async function endless(count: number, isEndless: (n: number) => boolean) {
  const world = await failed(count)
  const { t } = world
  world.takes(() => true)
  const open = (await t.get('/api/trash?state=open')).body.items as unknown as { id: string }[]
  const ids: string[] = []
  for (const { id } of open) {
    const { body } = (await t.get(`/api/trash/${id}`)).body as unknown as { body: { n: number } }
    if (!isEndless(body.n)) continue
    ids.push(id)
    await t.send('PUT', `/api/trash/${id}`, { json: { body: { ...body, s: `${'a'.repeat(40)}!` } } })
  }
  const input = { properties: { s: { pattern: '^(a+)+$' } } }
  await saveManifest(t.store, 'w', { protocol: 1, worker: 'w', nodes: [{ name: 'b', type: 'connector', input }] })
  return { ...world, ids }
}

const unchecked = 'it couldn\'t be checked by the input schema of "b": that takes longer than 2000 ms'

test('a message that can not be checked in time is refused and told so, and keeps no other one from being checked', async () => {
  const world = await endless(3, (n) => n === 1)
  const { body } = await world.t.post('/api/trash/bulk/preview', { action: 'replay', filter: { ids: world.ids } })
  expect(body).toMatchObject({ samples: [{ faults: [unchecked] }] })
  control(world)
  const { id } = await bulk(world, { action: 'replay', filter: all })
  const done = await until(world, id, ({ state }) => state === 'finished')
  expect(done.messages).toMatchObject({ done: 2, refused: 1 })
  const told = (await outcomes(world, id)).flatMap(({ trashId, why }) => (why === null ? [] : [[trashId, why]]))
  expect(told).toEqual([[world.ids[0], unchecked]])
  expect(world.called().sort()).toEqual(['{"n":0}', '{"n":2}'])
  const accepted = await bulk(world, { action: 'replay', filter: all, acceptWarnings: true })
  expect((await until(world, accepted.id, ({ state }) => state === 'finished')).messages).toMatchObject({ done: 1 })
})

test('when no message can be checked in time a bulk ends all the same, with each of them refused', async () => {
  const world = await endless(4, () => true)
  control(world)
  const { id } = await bulk(world, { action: 'replay', filter: all })
  const done = await until(world, id, ({ state }) => state === 'finished')
  expect(done.messages).toMatchObject({ done: 0, refused: 4 })
  expect(new Set((await outcomes(world, id)).map(({ why }) => why))).toEqual(new Set([unchecked]))
  expect(world.called()).toEqual([])
})

const bad = [
  ['an empty filter', { filter: {} }, 400, /an empty filter would be all of Trash/],
  ['an empty text, which fits everything', { filter: { text: '' } }, 400, /filter\.text/],
  ['no filter', {}, 400, /filter/],
  ['an unknown topology', { filter: { topology: 'nope' } }, 404, /there is no topology .*nope/],
  ['nothing that fits', { filter: { topology: 'orders' } }, 409, /no open message in Trash fits/],
  ['unknown ids', { filter: { ids: ['nope'] } }, 400, /1 of 1 ids are of no message in Trash/],
  ['a strange key', { filter: { topologie: 'orders' } }, 400, /topologie/],
  ['no operations', { filter: all, patch: { type: 'json-patch', operations: [] } }, 400, /operations/],
  [
    'a strange operation',
    { filter: all, patch: { type: 'json-patch', operations: [{ op: 'eval', path: '/a' }] } },
    400,
    /op/,
  ],
  [
    'a path that is none',
    { filter: all, patch: { type: 'json-patch', operations: [{ op: 'remove', path: 'a' }] } },
    400,
    /JSON Pointer/,
  ],
  [
    'an add without value',
    { filter: all, patch: { type: 'json-patch', operations: [{ op: 'add', path: '/a' }] } },
    400,
    /value/,
  ],
  [
    'too many operations',
    {
      filter: all,
      patch: { type: 'json-patch', operations: Array.from({ length: 101 }, () => ({ op: 'remove', path: '/a' })) },
    },
    400,
    /operations/,
  ],
  [
    'a patch that is too large',
    { filter: all, patch: { type: 'merge-patch', value: { note: 'x'.repeat(256 * 1024) } } },
    400,
    /patch is larger than 262144 bytes/,
  ],
  [
    'a patch of a discard',
    { action: 'discard', filter: all, patch: { type: 'merge-patch', value: {} } },
    400,
    /what is discarded is not sent/,
  ],
  ['warnings of a discard', { action: 'discard', filter: all, acceptWarnings: true }, 400, /warnings are of replays/],
  ['a rate of 0', { filter: all, ratePerSecond: 0 }, 400, /ratePerSecond/],
] as const

test('bad input is refused with what is wrong, and nothing is made', async () => {
  const t = await openApi()
  await published(t, 'orders')
  for (const [what, asked, status, says] of bad) {
    const answer = await t.post('/api/trash/bulk', { action: 'replay', ...asked })
    expect([what, answer.status, answer.text]).toEqual([what, status, expect.stringMatching(says)])
  }
  expect((await t.get('/api/trash/bulk')).body.items).toEqual([])
  expect((await t.get('/api/trash/bulk/nope')).status).toBe(404)
  expect((await t.post('/api/trash/bulk/nope/pause')).status).toBe(404)
})

test('a patch and a preview need the scope payload; a token of one topology sees only bulks of that one', async () => {
  const world = await failed(1)
  const { t } = world
  const operate = await tokenOf(t, ['read', 'operate'])
  const json = { action: 'replay', filter: all, patch: { type: 'merge-patch', value: { a: 1 } } }
  expect((await t.send('POST', '/api/trash/bulk', { json, token: operate })).status).toBe(403)
  expect((await t.send('POST', '/api/trash/bulk/preview', { json, token: operate })).status).toBe(403)
  const { id } = await bulk(world, json)
  const shown = await t.send('GET', `/api/trash/bulk/${id}`, { token: operate })
  expect(shown.body).toMatchObject({ isPatched: true })
  expect(shown.body).not.toHaveProperty('patch')
  const { id: other } = await published(t, 'other')
  const bound = await tokenOf(t, ['read', 'operate'], { topologyId: other })
  expect((await t.send('GET', `/api/trash/bulk/${id}`, { token: bound })).status).toBe(403)
  expect((await t.send('GET', '/api/trash/bulk', { token: bound })).body.items).toEqual([])
})
