import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { applyOutcomes, position } from '../../../runtime/store/outcomes.ts'
import { Invalid } from '../../../runtime/errors.ts'
import { withinTime } from '../../../runtime/store/trash/bounded.ts'
import { tokenOf } from '../../access/world.ts'
import { nodeOf, openApi, published } from '../open.ts'
import type { Answer, TestApi } from '../open.ts'
import { eventually } from '../../support/eventually.ts'
import { bridgeOf, orders } from '../running.ts'
import { split, started, trashed } from '../../store/outcome-samples.ts'

/** As the recorder writes them: a message for each body, of tenants in turn. */
async function withBodies(t: TestApi, bodies: readonly (readonly [contentType: string, body: string | Buffer])[]) {
  const { id } = await published(t, 'orders')
  const { id: nodeId } = await nodeOf(t, 'orders', 'a')
  const rows = bodies.map(([contentType, body], n) => {
    const row = trashed('r', `x${n}`, { nodeId, at: `2026-03-01T10:00:0${n}.000Z`, body: Buffer.from(body) })
    return { ...row, message: { ...row.message, contentType, tenant: ['ann', 'bob', null][n % 3] ?? null } }
  })
  const outcomes = [started('r'), split('r', rows.length - 1), ...rows]
  const from = await position(t.store, id, 'e')
  await applyOutcomes(t.store, id, { epoch: 'e', from, to: from + 1 }, outcomes)
}

const ids = (answer: Answer) => answer.body.items.map(({ id }) => id)

test('a message of Trash has all that it went through: every call, its tenant, its trace, and the exact body', async () => {
  const { t } = await orders(
    () => ({ status: 503, headers: { 'content-type': 'application/problem+json' }, body: '{"title":"full"}' }),
    {
      a: { retry: { attempts: 2, baseMs: 1 } },
    },
  )
  await bridgeOf(t)
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const headers = { traceparent, 'content-type': 'text/csv; charset=utf-8', 'x-shop': 'brno' }
  const raw = Uint8Array.of(0xef, 0xbb, 0xbf, 0x61, 0x00, 0xff)
  const { runId } = (await t.send('POST', '/start/orders/start?tenant=ann', { raw, headers })).body
  const head = await eventually('it is in Trash', async () => {
    const [row] = (await t.get(`/api/trash?run=${runId}&tenant=ann`)).body.items
    return row ?? false
  })
  const { body } = await t.get(`/api/trash/${head.id}`)
  const call = { instance: expect.stringMatching(/^http/) as string, status: 503, problem: { title: 'full' } }
  expect(body).toMatchObject({
    ...{ topology: 'orders', node: 'a', revision: 1, runId, messageId: runId, tenant: 'ann', state: 'open' },
    traceId: traceparent.slice(3, 35),
    contentType: headers['content-type'],
    headers: { 'x-shop': 'brno' },
    bodyBase64: Buffer.from(raw).toString('base64'),
    attempts: [
      { attempt: 1, ...call },
      { attempt: 2, ...call },
    ],
  })
})

test('messages are found by tenant, and by what they hold or were edited to, in texts only', async () => {
  const t = await openApi()
  await withBodies(t, [
    ['application/json', '{"name":"Žofie 100%_"}'],
    ['image/png', Buffer.from('Žofie')],
    ['text/csv', Buffer.from([0xff, 0xfe, 0x41, 0x42])],
    ['application/vnd.shop+xml', '<name>Žofie</name>'],
  ])
  await t.send('PUT', '/api/trash/x2', { json: { bodyBase64: Buffer.from('now žofie').toString('base64') } })
  for (const [query, found] of [
    ['tenant=ann', ['x3', 'x0']],
    ['tenant=nobody', []],
    ['body=%C5%BDofie', ['x3', 'x0']],
    ['body=%C5%BEofie', ['x2']],
    ['body=100%25_', ['x0']],
    ['body=AB&tenant=bob', []],
    ['body=AB', ['x2']],
    ["body='%3B", []],
  ] as const)
    expect([query, ids(await t.get(`/api/trash?${query}`))]).toEqual([query, found])
  expect((await t.get('/api/trash/groups?tenant=ann')).body.items).toMatchObject([{ count: 2 }])
  expect((await t.get('/api/trash/groups?body=ofie')).body.items).toMatchObject([{ count: 3 }])
  const token = await tokenOf(t, ['read'])
  expect((await t.send('GET', '/api/trash?body=x', { token })).status).toBe(403)
  expect((await t.get('/api/trash?body=')).status).toBe(400)
})

test('looking into bodies for too long is given up with what to do', async () => {
  const { store } = await openApi()
  const slow = withinTime(store, { body: 'x' }, (db) => db.execute(sql`select pg_sleep(20)`), 50)
  await expect(slow).rejects.toThrow(/^looking into bodies took longer than 0.05 s: narrow it down by topology/)
  await expect(slow).rejects.toThrow(Invalid)
})

test('looking for a text for too long is given up, too, with more of the text as a remedy where that helps', async () => {
  const { store } = await openApi()
  const slow = (text: string) => withinTime(store, { text }, (db) => db.execute(sql`select pg_sleep(20)`), 50)
  const longer = 'give a text with three letters or digits in a row, or '
  const says = 'looking for this text took longer than 0.05 s: '
  for (const [text, hint] of [
    ['ss', longer],
    ['a-b', longer],
    ['žof', ''],
  ] as const)
    await expect(slow(text)).rejects.toMatchObject({
      message: `${says}${hint}narrow it down by topology, node, run, fingerprint, tenant or time`,
      errors: [{ path: 'text' }],
    })
  await expect(slow('ss')).rejects.toThrow(Invalid)
})

test('a text of one or two letters finds what has it, whatever is between other filters', async () => {
  const t = await openApi()
  await withBodies(t, [['text/plain', 'x']])
  for (const [query, found] of [
    ['text=17', ['x0']],
    ['text=O', ['x0']],
    ['text=1&tenant=ann', ['x0']],
    ['text=zz', []],
  ] as const) {
    expect([query, ids(await t.get(`/api/trash?${query}`))]).toEqual([query, found])
    expect((await t.get(`/api/trash/groups?${query}`)).body.items).toHaveLength(found.length)
    expect((await t.get(`/api/trash/export?${query}`)).text.split('\n')).toHaveLength(found.length + 1)
  }
})
