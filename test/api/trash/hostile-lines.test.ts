import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { openApi, published } from '../open.ts'
import type { Answer, TestApi } from '../open.ts'
import { bridgeOf, callsOf, orders } from '../running.ts'

/** An import takes any bytes at all: what is a message is there as it was, and of the rest each line is told. */
const send = (t: TestApi, raw: string | Uint8Array, headers = {}) =>
  t.send('POST', '/api/trash/import?topology=orders', {
    raw,
    headers: { 'content-type': 'application/x-ndjson', ...headers },
  })

const line = (more: object = {}) =>
  JSON.stringify({
    ...{ id: 'i1', node: 'a', messageId: 'm', createdAt: '2026-03-01T10:00:00.000Z', error: { title: 'no' } },
    ...{ headers: {}, contentType: 'text/plain', bodyText: 'x', ...more },
  })

async function world(): Promise<TestApi> {
  const t = await openApi()
  await published(t, 'orders')
  return t
}

const faultsOf = ({ body }: Answer) =>
  body.errors.map((fault) => `${(fault as unknown as { line: number }).line} ${fault.path} ${fault.message}`)

test('lines of every kind of ends, with a mark before any of them, are read', async () => {
  const t = await world()
  const [one, two, three] = ['i1', 'i2', 'i3'].map((id) => line({ id }))
  expect((await send(t, `\ufeff${one}\r\n\r\n  \t${two}  \n\n\n\ufeff${three}`)).body).toMatchObject({
    imported: 3,
    faults: 0,
  })
})

test.each([
  ['only NULs', Buffer.alloc(1024 * 1024), /^1 {2}is no JSON/],
  [
    'broken UTF-8',
    Buffer.concat([Buffer.from(line()).subarray(0, -2), Buffer.of(0xc3, 0x28, 0x22, 0x7d)]),
    /^1 {2}is not UTF-8/,
  ],
  ['a lone continuation byte', Buffer.of(0x80), /^1 {2}is not UTF-8/],
  ['a line that ends in the middle', Buffer.from(line().slice(0, 40)), /^1 {2}is no JSON/],
  ['two messages on a line', Buffer.from(line() + line({ id: 'i2' })), /^1 {2}is no JSON/],
  ['a list of messages', Buffer.from(`[${line()}]`), /^1 {2}/],
  ['null', Buffer.from('null'), /^1 {2}/],
  [
    'deep JSON',
    Buffer.from(line().replace('{', `{"x":${'['.repeat(300_000)}${']'.repeat(300_000)},`)),
    /^1 {2}is nested too deep/,
  ],
  [
    'a body over 8 MiB on a line of 10 MB',
    Buffer.from(line({ bodyText: 'x'.repeat(10_000_000) })),
    /^1 bodyText is larger than 8388608 bytes/,
  ],
  ['a title of a MB', Buffer.from(line({ error: { title: 'x'.repeat(1_000_000) } })), /^1 error\.title/],
  ['a message id of a MB', Buffer.from(line({ messageId: 'x'.repeat(1_000_000) })), /^1 messageId/],
  [
    'a message id that is too long for a header',
    Buffer.from(line({ messageId: 'ž'.repeat(500) })),
    /^1 messageId is longer than 2048 bytes in a header/,
  ],
  ['a cursor that is too long for a header', Buffer.from(line({ cursor: 'ž'.repeat(1_000) })), /^1 cursor is longer/],
  ['a node that it comes from with a line break', Buffer.from(line({ from: 'a\r\nx-evil: 1' })), /^1 from/],
  ['headers of a MB', Buffer.from(line({ headers: { 'x-a': 'x'.repeat(1_000_000) } })), /^1 headers x-… headers take/],
  ['a header with a line break', Buffer.from(line({ headers: { 'x-a\r\nb': 'c' } })), /^1 headers header/],
  ['a tenant of 257 letters', Buffer.from(line({ tenant: 'ž'.repeat(257) })), /^1 tenant/],
  ['a page below nothing', Buffer.from(line({ page: -1 })), /^1 page/],
  ['1 001 calls', Buffer.from(line({ attempts: Array(1_001).fill({}) })), /^1 attempts/],
  ['1 001 edits', Buffer.from(line({ versions: Array(1_001).fill({}) })), /^1 versions/],
  ['no base64', Buffer.from(line({ bodyText: undefined, bodyBase64: '?' })), /^1 bodyBase64/],
  ['a time beyond all years', Buffer.from(line({ createdAt: '+010000-01-01T00:00:00Z' })), /^1 createdAt/],
])('%s is told as what it is, and what follows is there', async (_, raw, says) => {
  const t = await world()
  const answer = await send(t, Buffer.concat([raw, Buffer.from(`\n${line({ id: 'good' })}`)]))
  expect([answer.status, answer.body]).toMatchObject([200, { imported: 1, faults: 1 }])
  expect(faultsOf(answer)).toEqual([expect.stringMatching(says)])
  expect((await t.get('/api/trash')).body.items.map(({ id }) => id)).toEqual(['good'])
})

test('of a file that is none at all only the first faults are told, and a compressed one is refused', async () => {
  const t = await world()
  const { body } = await send(t, 'id;name\n1;x\n'.repeat(50_000))
  expect([body, body.errors.length]).toMatchObject([{ imported: 0, faults: 100_000, runId: null }, 50])
  expect((await send(t, gzipSync(line()), { 'content-encoding': 'gzip' })).status).toBe(415)
  expect((await send(t, gzipSync(line()))).body).toMatchObject({ imported: 0 })
})

test('a message with the longest and strangest of everything is imported and goes on to its worker', async () => {
  const { t, worker } = await orders(() => ({ status: 204 }))
  await bridgeOf(t)
  const strange = {
    messageId: `m\u0000\ud800\r\nx-evil: 1${'ž'.repeat(330)}`,
    tenant: `\r\nx-evil: 1 ${'ž'.repeat(240)}`,
    key: '\u0000\ud800',
    traceparent: '00-x\r\nx-evil: 1',
    headers: { 'x-a': 'b\r\nx-evil: 1' },
    from: 'x~',
    bodyText: `\u0000\ud83d\udc0e${'"'.repeat(1_000_000)}`,
    attempts: [{ attempt: 1, at: '2026-03-01T10:00:00Z', problem: { title: '\u0000' }, instance: '\ud800' }],
  }
  expect((await send(t, line(strange))).body).toMatchObject({ imported: 1, faults: 0 })
  expect((await t.get('/api/trash/i1')).body).toMatchObject({ body: strange.bodyText, attempts: [{ attempt: 1 }] })
  expect((await t.post('/api/trash/i1/replay', {})).status).toBe(202)
  const [call] = await eventually('it was called', () => callsOf(worker).length > 0 && callsOf(worker))
  expect(call?.body).toBe(strange.bodyText)
  expect(call?.headers).not.toHaveProperty('x-evil')
})

test('what is exported of it is imported again as it is', async () => {
  const [from, to] = [await world(), await world()]
  const long = { tenant: 'ž'.repeat(200), bodyText: undefined, bodyBase64: Buffer.of(0, 255, 0x80).toString('base64') }
  await send(from, line(long))
  const file = await from.get('/api/trash/export')
  expect((await send(to, file.text)).body).toMatchObject({ imported: 1, faults: 0 })
  const shown = async (t: TestApi) => {
    const { tenant, bodyBase64, error } = (await t.get('/api/trash/i1')).body as unknown as Record<string, unknown>
    return { tenant, bodyBase64, error }
  }
  expect(await shown(to)).toEqual(await shown(from))
})
