import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { openHook, secret, storedIn } from './open.ts'

const meta = { handshake: { query: 'hub.challenge', token: 'hub.verify_token' } }
const query = (challenge: string, token = 'the token') =>
  `?hub.mode=subscribe&hub.verify_token=${encodeURIComponent(token)}&hub.challenge=${encodeURIComponent(challenge)}`

test('a challenge in the query is echoed to who knows the verify token', async () => {
  const hook = await openHook(meta)
  const ask = (text: string) => hook.deliver({ method: 'GET', query: text })
  expect((await ask(query('1'))).status).toBe(403)
  await hook.t.send('PUT', `/api/nodes/${hook.nodeId}/webhook`, { json: { verifyToken: 'the token' } })
  const answer = await ask(query('115 8201444'))
  expect([answer.status, answer.text]).toEqual([200, '115 8201444'])
  for (const wrong of [
    query('1', 'another'),
    query('1', ''),
    '?hub.challenge=1',
    `${query('1')}&hub.verify_token=the+token`,
  ])
    expect((await ask(wrong)).status).toBe(403)
  const nothing = await ask('')
  expect([nothing.status, nothing.headers.get('allow')]).toEqual([405, 'GET, POST'])
})

test('a token that Microsoft Graph sends with an empty POST is echoed, and a delivery never is', async () => {
  const hook = await openHook({ handshake: { query: 'validationToken' } })
  const asked = await hook.deliver({
    query: '?validationToken=Validation%3A%20ok',
    headers: { 'content-type': 'text/plain' },
  })
  expect([asked.status, asked.text]).toEqual([200, 'Validation: ok'])
  expect((await hook.deliver({ query: '?validationToken=x', json: { value: [] } })).status).toBe(202)
})

test('what is echoed is text for every browser, and bounded', async () => {
  const hook = await openHook({ handshake: { query: 'q' } })
  const page = '<script>alert(1)</script>'
  const answer = await hook.deliver({
    method: 'GET',
    query: `?q=${encodeURIComponent(page)}`,
    headers: { accept: 'text/html' },
  })
  expect(answer.text).toBe(page)
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    'content-type': expect.stringMatching(/^text\/plain; *charset=utf-8$/i) as string,
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; sandbox",
    'cache-control': 'no-store',
  })
  expect((await hook.deliver({ method: 'GET', query: `?q=${'a'.repeat(4_097)}` })).status).toBe(403)
  expect((await hook.deliver({ method: 'GET', query: `?q=a&q=b` })).status).toBe(403)
})

test('a challenge in the body is echoed when it is signed, and other bodies are deliveries', async () => {
  const when = { type: 'url_verification' }
  const hook = await openHook({ verify: { scheme: 'slack' }, handshake: { body: '/challenge', when } })
  const send = (body: unknown, by = secret) => {
    const raw = JSON.stringify(body)
    const at = String(Math.floor(Date.now() / 1_000))
    const mac = createHmac('sha256', by).update(`v0:${at}:${raw}`).digest('hex')
    return hook.deliver({ raw, headers: { 'x-slack-request-timestamp': at, 'x-slack-signature': `v0=${mac}` } })
  }
  const before = await storedIn(hook)
  expect((await send({ type: 'url_verification', challenge: 'c1' })).text).toBe('c1')
  expect((await send({ type: 'url_verification', challenge: 'c1' }, 'another')).status).toBe(401)
  expect((await send({ type: 'url_verification', challenge: 'c'.repeat(5_000) })).status).toBe(403)
  expect(await storedIn(hook)).toBe(before)
  const event = { type: 'event_callback', challenge: 'no question', event_id: 'Ev1' }
  const [one, two] = [await send(event), await send(event)]
  expect([one.status, two.body.runId]).toEqual([202, one.body.runId])
  expect((await send({ type: 'url_verification', challenge: { no: 'text' } })).status).toBe(202)
})
