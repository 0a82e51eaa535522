import { expect, onTestFinished, test } from 'vitest'
import { openAttempts } from '../../runtime/api/access/attempts.ts'
import type { Attempts } from '../../runtime/api/access/attempts.ts'
import type { HttpProblem } from '../../runtime/api/problem.ts'
import { listen } from '../../runtime/commands/listen.ts'
import { newId } from '../../runtime/ids.ts'
import { newTokenText } from '../../runtime/store/queries/tokens.ts'
import { openStore } from '../../runtime/store/store.ts'
import { adminToken, openApi } from '../api/open.ts'
import type { TestApi } from '../api/open.ts'
import { freshDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { tokenOf } from './world.ts'

/** A request from an address; answers its status. */
async function from(t: TestApi, remoteAddress: string, token: string, more: Record<string, string> = {}) {
  const headers = { authorization: `Bearer ${token}`, ...more }
  return t.api.request('/api/topologies', { headers }, { incoming: { socket: { remoteAddress } } })
}

const statuses = async (requests: readonly Promise<Response>[]): Promise<number[]> =>
  (await Promise.all(requests)).map(({ status }) => status)

test('wrong tokens of one address are refused with 429 for a while; others, and tokens that have worked, are not', async () => {
  const t = await openApi({ access: { failuresPerMinute: 3 } })
  const fresh = await tokenOf(t, ['read'])
  expect((await from(t, '10.0.0.1', adminToken)).status).toBe(200)
  for (const n of [1, 2, 3]) expect((await from(t, '10.0.0.1', `wrong${n}`)).status).toBe(401)
  const limited = await from(t, '10.0.0.1', 'wrong4')
  expect(limited.status).toBe(429)
  expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(15)
  expect(Number(limited.headers.get('retry-after'))).toBeLessThanOrEqual(20)
  expect(await limited.json()).toMatchObject({ status: 429, detail: expect.stringContaining('wrong tokens') as string })
  // Not even a good one gets through that was never seen: whoever guesses learns nothing.
  expect((await from(t, '10.0.0.1', fresh)).status).toBe(429)
  expect((await from(t, '10.0.0.1', adminToken)).status).toBe(200)
  expect((await from(t, '10.0.0.2', fresh)).status).toBe(200)
  expect((await from(t, '10.0.0.1', fresh)).status).toBe(200)
})

test('logins and cookies count, too; requests without anything do not', async () => {
  const t = await openApi({ access: { failuresPerMinute: 2 } })
  const send = (method: string, sending: Parameters<TestApi['send']>[2]) => t.send(method, '/api/session', sending)
  for (let n = 0; n < 5; n++) expect((await send('GET', { token: null })).status).toBe(401)
  expect((await send('POST', { token: null, json: { token: 'wrong' } })).status).toBe(401)
  expect((await send('GET', { token: null, headers: { cookie: 'sluice_session=wrong' } })).status).toBe(401)
  expect((await send('POST', { token: null, json: { token: adminToken } })).status).toBe(429)
})

test('X-Forwarded-For is believed of trusted proxies only, and of them the last that is none', async () => {
  const t = await openApi({ access: { failuresPerMinute: 1, trustedProxies: ['10.0.0.9', '10.1.0.0/16', '::1'] } })
  const wrong = (peer: string, forwarded: string) => from(t, peer, 'wrong', { 'x-forwarded-for': forwarded })
  expect(await statuses([wrong('10.0.0.9', '7.7.7.7')])).toEqual([401])
  // Whatever the client itself claims stands before what the proxies add.
  expect(await statuses([wrong('10.1.2.3', 'spoofed, 1.2.3.4, 7.7.7.7, 10.0.0.9')])).toEqual([429])
  expect(await statuses([wrong('::1', '7.7.7.8')])).toEqual([401])
  expect(await statuses([wrong('8.8.8.8', '1.1.1.1')])).toEqual([401])
  expect(await statuses([wrong('8.8.8.8', '2.2.2.2')])).toEqual([429])
  expect(await statuses([wrong('::ffff:10.0.0.9', 'nonsense')])).toEqual([401])
  expect(await statuses([wrong('10.0.0.9', '')])).toEqual([429])
})

const guess = (attempts: Attempts, address: string | null, credential = 'wrong'): Promise<unknown> =>
  attempts
    .check(address, credential, () => Promise.resolve(null))
    .catch((error: unknown) => (error as HttpProblem).status)

test('an address may try again one by one as its minute passes, and is never shut out for long', async () => {
  let now = 0
  const attempts = openAttempts(2, { now: () => now })
  const guesses = async (count: number) => {
    const results = []
    for (let n = 0; n < count; n++) results.push(await guess(attempts, 'a'))
    return results
  }
  expect(await guesses(3)).toEqual([null, null, 429])
  now += 29_000
  expect(await guesses(1)).toEqual([429])
  now += 1_000
  expect(await guesses(2)).toEqual([null, 429])
  now += 120_000
  expect(await guesses(3)).toEqual([null, null, 429])
  // A thousand of other controls come after they were met; they are paid for later, to a limit.
  const told = openAttempts(2, { now: () => now })
  for (let n = 0; n < 1_000; n++) told.failedElsewhere('a')
  now += 14 * 60_000
  expect(await guess(told, 'a')).toBe(429)
  now += 60_000
  expect(await guess(told, 'a')).toBeNull()
})

test('of a thousand guesses at once no more are looked up than may fail, and good ones among them only wait', async () => {
  const attempts = openAttempts(3)
  const asked: string[] = []
  const ask = (credential: string) =>
    attempts
      .check('a', credential, async () => {
        asked.push(credential)
        await new Promise((resolve) => setImmediate(resolve))
        return credential.startsWith('good') ? credential : null
      })
      .catch((error: unknown) => (error as HttpProblem).status)
  const good = Array.from({ length: 30 }, (_, n) => `good${n}`)
  // A page that loads sends the same one many times.
  expect(await Promise.all([...good, ...good].map(ask))).toEqual([...good, ...good])
  asked.length = 0
  const results = await Promise.all(Array.from({ length: 1_000 }, (_, n) => ask(`wrong${n}`)))
  expect(asked).toEqual(['wrong0', 'wrong1', 'wrong2'])
  expect(results.filter((result) => result === 429)).toHaveLength(997)
  expect(await Promise.all(good.map(ask))).toEqual(good)
})

test('a credential that has worked keeps no other one waiting, however long it is looked up', async () => {
  const attempts = openAttempts(1)
  const good = () => attempts.check('a', 'good', () => Promise.resolve('somebody'))
  await good()
  void attempts.check('a', 'good', () => new Promise(() => {}))
  expect(await attempts.check('a', 'another', () => Promise.resolve('somebody else'))).toBe('somebody else')
})

test('who waits for those that are looked up without an end is a 429 that says when to come again', async () => {
  const attempts = openAttempts(1, { waitMaxMs: 50 })
  void attempts.check('a', 'slow', () => new Promise(() => {}))
  await expect(guess(attempts, 'a', 'other')).resolves.toBe(429)
  const refused = attempts.check('a', 'other', () => Promise.resolve(null))
  await expect(refused).rejects.toMatchObject({ headers: { 'retry-after': '1' } })
})

test('wrong tokens count over all controls, and shut nobody out at another address', async () => {
  const url = await freshDatabase()
  const namespace = `t_${newId()}`
  const control = () => openApi({ store: openStore(url, 4), namespace, access: { failuresPerMinute: 3 } })
  const [here, there] = [await control(), await control()]
  const fresh = await tokenOf(here, ['read'])
  expect((await from(there, '10.0.0.1', adminToken)).status).toBe(200)
  for (const n of [1, 2, 3]) expect((await from(here, '10.0.0.1', `wrong${n}`)).status).toBe(401)
  const isShut = async () => (await from(there, '10.0.0.1', newTokenText())).status === 429
  await eventually('the other control has heard of them', isShut)
  expect((await from(there, '10.0.0.1', fresh)).status).toBe(429)
  expect((await from(there, '10.0.0.2', fresh)).status).toBe(200)
  expect((await from(there, '10.0.0.1', adminToken)).status).toBe(200)
})

test('what cannot be a token or a cookie is not looked up', async () => {
  const t = await openApi()
  await t.store.close()
  for (const token of ['wrong', `slw_${'x'.repeat(42)}`, `slw_${'x'.repeat(44)}`, `xslw_${'x'.repeat(43)}`])
    expect((await t.send('GET', '/api/topologies', { token })).status).toBe(401)
  const headers = { cookie: `sluice_session=slws_${'x'.repeat(42)}` }
  expect((await t.send('GET', '/api/session', { token: null, headers })).status).toBe(401)
  // This one could be: only Postgres knows.
  expect((await t.send('GET', '/api/topologies', { token: newTokenText() })).status).toBe(503)
})

test('a whole IPv6 network counts as one address, IPv4 addresses each', async () => {
  const attempts = openAttempts(1)
  const results = []
  for (const address of [
    '2001:db8:0:1::1',
    '2001:db8::1:0:0:0:2',
    '2001:db8:0:2::1',
    '::1',
    '1.2.3.4',
    '1.2.3.5',
    null,
  ])
    results.push(await guess(attempts, address))
  expect(results).toEqual([null, 429, null, null, null, null, null])
})

test('it remembers no more than ten thousand addresses', async () => {
  const attempts = openAttempts(1)
  expect([await guess(attempts, 'first'), await guess(attempts, 'first')]).toEqual([null, 429])
  for (let n = 0; n < 10_000; n++) await guess(attempts, `a${n}`)
  expect(await guess(attempts, 'first')).toBeNull()
  expect(await guess(attempts, 'a9999')).toBe(429)
})

test('a part that is away is no failure of who asks', async () => {
  const attempts = openAttempts(1)
  const away = () => attempts.check('a', 'good', () => Promise.reject(new Error('away')))
  await expect(away()).rejects.toThrow('away')
  await expect(away()).rejects.toThrow('away')
  expect(await attempts.check('a', 'good', () => Promise.resolve('somebody'))).toBe('somebody')
})

test('over a connection the address is that of its other end, whatever a header claims', async () => {
  const t = await openApi({ access: { failuresPerMinute: 2 } })
  const listening = await listen({ port: 0, host: '127.0.0.1', chosenBy: '' })
  onTestFinished(() => listening.close())
  listening.serve((request, env) => t.api.fetch(request, env))
  const send = (token: string, forwarded: string, method = 'GET') => {
    const headers = {
      authorization: `Bearer ${token}`,
      'x-forwarded-for': forwarded,
      'content-type': 'application/json',
    }
    const body = method === 'POST' ? { body: '{"name":"geo","limits":[]}' } : {}
    return fetch(`${listening.url}/api/services`, { method, headers, ...body })
  }
  expect((await send(adminToken, '1.1.1.1', 'POST')).status).toBe(201)
  expect((await t.get('/api/audit')).body.items[0]).toMatchObject({ address: '127.0.0.1' })
  const results = []
  for (const address of ['1.1.1.1', '2.2.2.2', '3.3.3.3']) results.push((await send('wrong', address)).status)
  expect(results).toEqual([401, 401, 429])
})
