import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { refusalOf } from '../../runtime/protocol/webhooks/verify.ts'
import type { Verification } from '../../runtime/topology/webhooks/config.ts'

interface Case {
  readonly verify: Verification
  readonly secret: string
  readonly headers: Record<string, string>
  readonly body: string | Uint8Array
  readonly atS: number
}

const toleranceSeconds = 300

/** As their owners publish them. */
const published: Record<string, Case> = {
  'Standard Webhooks, from its specification': {
    verify: { scheme: 'standard-webhooks', toleranceSeconds },
    secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    headers: {
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    },
    body: '{"test": 2432232314}',
    atS: 1_614_265_330,
  },
  'GitHub, from its page on validating deliveries': {
    verify: { scheme: 'github' },
    secret: "It's a Secret to Everybody",
    headers: { 'x-hub-signature-256': 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17' },
    body: 'Hello, World!',
    atS: 0,
  },
  'Slack, from its page on verifying requests': {
    verify: { scheme: 'slack', toleranceSeconds },
    secret: '8f742231b10e8888abcd99yyyzzz85a5',
    headers: {
      'x-slack-request-timestamp': '1531420618',
      'x-slack-signature': 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503',
    },
    body: 'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c',
    atS: 1_531_420_618,
  },
  'HMAC-SHA-256, RFC 4231 case 2': hmac('sha256', '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'),
  'HMAC-SHA-512, RFC 4231 case 2': hmac(
    'sha512',
    '164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737',
  ),
  'HMAC-SHA-1, RFC 2202 case 2': hmac('sha1', 'effcdf6ae5eb2fa2d27416d5f184df9c259a7c79'),
  'Shopify, with RFC 4231 case 2 in its header': {
    ...hmac('sha256', ''),
    verify: { scheme: 'shopify' },
    headers: { 'x-shopify-hmac-sha256': 'W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=' },
  },
}

function hmac(algorithm: 'sha256' | 'sha512' | 'sha1', mac: string): Case {
  return {
    verify: { scheme: 'hmac', header: 'x-sign', algorithm, encoding: 'hex', prefix: 'v=' },
    secret: 'Jefe',
    headers: { 'x-sign': `v=${mac}` },
    body: 'what do ya want for nothing?',
    atS: 0,
  }
}

const refusal = ({ verify, secret, headers, body, atS }: Case, secrets = [secret]) =>
  refusalOf(verify, secrets, {
    header: (name) => headers[name],
    body: typeof body === 'string' ? Buffer.from(body) : body,
    atMs: atS * 1_000,
  })

describe.each(Object.entries(published))('%s', (_, vector) => {
  test('is taken, also by the older of two secrets', () => {
    expect(refusal(vector)).toBe(null)
    expect(refusal(vector, ['another', vector.secret])).toBe(null)
  })

  test('is refused with another secret, another body, none, and without its headers', () => {
    expect(refusal(vector, ['another'])).toMatch(/not made with the secret/)
    expect(refusal(vector, [])).toMatch(/not made with the secret/)
    expect(refusal({ ...vector, body: `${String(vector.body)} ` })).toMatch(/not made with the secret/)
    expect(refusal({ ...vector, body: '' })).toMatch(/not made with the secret/)
    for (const name of Object.keys(vector.headers)) {
      const { [name]: _removed, ...headers } = vector.headers
      expect(refusal({ ...vector, headers })).toMatch(/missing/)
    }
  })

  test('is refused when the signature is cut, longer, empty, in another encoding, or sent twice over', () => {
    const name = Object.keys(vector.headers).at(-1) ?? ''
    const value = vector.headers[name] ?? ''
    for (const wrong of [value.slice(0, -2), `${value}00`, '', 'é', `${value}${value}`, value.replace(/[=,].*/, '$&§')])
      expect(refusal({ ...vector, headers: { ...vector.headers, [name]: wrong } })).not.toBe(null)
  })
})

const body = '{"id":"evt_1"}'
const stripeAt = (atS: number, secret = 'whsec_one') =>
  createHmac('sha256', secret).update(`${atS}.${body}`).digest('hex')
const stripe = (signature: string, atS = 1_000_000): Case => ({
  verify: { scheme: 'stripe', toleranceSeconds },
  secret: 'whsec_one',
  headers: { 'stripe-signature': signature },
  body,
  atS,
})

test('Stripe signs the time and the body, perhaps with several signatures and older schemes', () => {
  const mac = stripeAt(1_000_000)
  for (const signature of [
    `t=1000000,v1=${mac}`,
    `t=1000000, v1=${'0'.repeat(64)}, v1=${mac}, v0=abc`,
    `v1=${mac},t=1000000`,
  ])
    expect(refusal(stripe(signature))).toBe(null)
  for (const signature of ['', 't=1000000', `v1=${mac}`, `t=1000000,v0=${mac}`, `t=1000000,t=1000000,v1=${mac}`])
    expect(refusal(stripe(signature))).not.toBe(null)
})

const timed: Record<string, (timestamp: string) => Case> = {
  stripe: (timestamp) => ({ ...stripe(`t=${timestamp},v1=${stripeAt(Number(timestamp))}`) }),
  'standard-webhooks': (timestamp) => ({
    ...stripe(''),
    verify: { scheme: 'standard-webhooks', toleranceSeconds },
    headers: {
      'webhook-id': 'm1',
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${createHmac('sha256', Buffer.from('one', 'base64')).update(`m1.${timestamp}.${body}`).digest('base64')}`,
    },
  }),
  slack: (timestamp) => ({
    ...stripe(''),
    verify: { scheme: 'slack', toleranceSeconds },
    headers: {
      'x-slack-request-timestamp': timestamp,
      'x-slack-signature': `v0=${createHmac('sha256', 'whsec_one').update(`v0:${timestamp}:${body}`).digest('hex')}`,
    },
  }),
}

test.each(Object.entries(timed))('%s: a replay that is too old and a time too far ahead are refused', (_, at) => {
  for (const near of ['1000000', '999700', '1000300']) expect(refusal(at(near))).toBe(null)
  expect(refusal(at('999699'))).toBe('the timestamp is 301 s old; at most 300 s are taken')
  expect(refusal(at('1000301'))).toBe('the timestamp is 301 s in the future; at most 300 s are taken')
  for (const none of ['', 'now', '-1000000', '1e6', '1000000.5', '1000000000000000', ' 1000000'])
    expect(refusal(at(none))).toMatch(/no whole number|missing|has to have one/)
})

test('a thousand signatures are looked through, and one of them is enough', () => {
  const vector = published['Standard Webhooks, from its specification'] as Case
  const many = `${'v1,AAAA '.repeat(1_000)}v1a,xx ${vector.headers['webhook-signature'] ?? ''}`
  const headers = { ...vector.headers, 'webhook-signature': many }
  expect(refusal({ ...vector, headers })).toBe(null)
  expect(refusal({ ...vector, headers }, ['another'])).not.toBe(null)
})

test('a shared token is compared whole, behind its prefix, whose case is free', () => {
  const verify = { scheme: 'token', header: 'authorization', prefix: 'Bearer ' } as const
  const sent = (authorization: string): Case => ({
    ...stripe(''),
    verify,
    secret: 'a-token',
    headers: { authorization },
  })
  expect(refusal(sent('Bearer a-token'))).toBe(null)
  expect(refusal(sent('bearer a-token'))).toBe(null)
  for (const wrong of ['Bearer a-toke', 'Bearer a-token ', 'Bearer', 'Basic a-token', 'a-token', '', 'Bearer é'])
    expect(refusal(sent(wrong))).not.toBe(null)
  expect(refusal(sent('Bearer another'))).toBe('the token is not the one that is set as the secret of this webhook')
})

test('a body that is no text is signed as it is', () => {
  const bytes = Uint8Array.from([0x1f, 0x8b, 0, 255, 254])
  const mac = createHmac('sha256', 's').update(bytes).digest('hex')
  const headers = { 'x-hub-signature-256': `sha256=${mac.toUpperCase()}` }
  expect(refusal({ verify: { scheme: 'github' }, secret: 's', headers, body: bytes, atS: 0 })).toBe(null)
})
