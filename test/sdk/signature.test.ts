import { describe, expect, test } from 'vitest'
import { sign, signingKey } from '../../runtime/protocol/native.ts'
import { worker } from '../../workers/sdk/src/index.ts'
import { call, problemOf } from './support.ts'

const secret = `whsec_${Buffer.from('a secret of thirty-two bytes ...').toString('base64')}`
const body = '{"a":"č"}'

interface Signing {
  secret?: string
  id?: string
  atMs?: number
  content?: string
}

/** Headers as the bridge signs them. */
function signed({ secret: by = secret, id = 'm1@echo', atMs = Date.now(), content = body }: Signing = {}) {
  const timestamp = Math.floor(atMs / 1000)
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': sign(signingKey(by), id, timestamp, Buffer.from(content)),
  }
}

const make = (secrets: string | string[] = secret) =>
  worker({ name: 'shop', version: '1', secret: secrets })
    .custom('echo', { aliases: ['echo-eu'] }, (received) => received.body as unknown)
    .custom('other', (received) => received.body as unknown)

describe('a worker with a secret', () => {
  test.each([
    ['by the bridge', signed()],
    ['for a page', signed({ id: 'm@1@echo#12' })],
    ['for an edited replay', signed({ id: 'm1@echo!2' })],
    ['under an alias of the node', signed({ id: 'm1@echo-eu' })],
    ['4 minutes ago', signed({ atMs: Date.now() - 240_000 })],
    ['by several keys', { ...signed(), 'webhook-signature': `v2,x v1,AAAA ${signed()['webhook-signature']}` }],
  ])('takes a call that was signed %s', async (_, headers) => {
    expect((await call(make(), 'echo', body, { headers })).status).toBe(200)
  })

  const { 'webhook-signature': _, ...unsigned } = signed()
  test.each([
    ['no signature', unsigned, 'carries no signature'],
    ['another secret', signed({ secret: 'whsec_AAAA' }), 'No secret of this worker'],
    ['another body', signed({ content: '{}' }), 'No secret of this worker'],
    ['another id', { ...signed(), 'webhook-id': 'm2@echo' }, 'No secret of this worker'],
    ['another node', signed({ id: 'm1@other' }), 'was signed for node other, not for echo'],
    ['no node', signed({ id: 'm1' }), 'was signed for node'],
    ['an old timestamp', signed({ atMs: Date.now() - 301_000 }), 'more than 5 minutes'],
    ['a future timestamp', signed({ atMs: Date.now() + 302_000 }), 'more than 5 minutes'],
    ['a timestamp that is no number', { ...signed(), 'webhook-timestamp': 'now' }, 'not a number'],
    ['a signature that is not base64', { ...signed(), 'webhook-signature': 'v1,§' }, 'No secret of this worker'],
    ['an empty signature', { ...signed(), 'webhook-signature': '' }, 'No secret of this worker'],
  ])('refuses a call with %s by 401 and sluice-signature: refused', async (_, headers, detail) => {
    const latin: Record<string, string> = headers
    const reply = await call(make(), 'echo', body, { headers: latin })
    expect([reply.status, reply.headers.get('sluice-signature')]).toEqual([401, 'refused'])
    expect((await problemOf(reply))['detail']).toMatch(detail)
  })

  test('takes the old and the new secret while it is being replaced', async () => {
    const rotating = make(['a new one without prefix', secret])
    for (const by of ['a new one without prefix', secret]) {
      expect((await call(rotating, 'echo', body, { headers: signed({ secret: by }) })).status).toBe(200)
    }
  })

  test('keeps manifest and health open', async () => {
    expect((await make().fetch(new Request('http://worker/healthz'))).status).toBe(200)
    expect((await make().fetch(new Request('http://worker/.well-known/sluice-worker'))).status).toBe(200)
  })

  test('checks the signature before it parses the body', async () => {
    expect((await call(make(), 'echo', '{', { headers: { ...signed(), 'webhook-id': 'x@echo' } })).status).toBe(401)
  })
})
