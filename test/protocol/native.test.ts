import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decodeHeaderValue,
  encodeHeaderValue,
  opaqueHeaderValue,
  userHeadersFault,
} from '../../runtime/protocol/header-values.ts'
import { newSpanId, prepareNode, requestHeaders, sign, signingKey, type Call } from '../../runtime/protocol/native.ts'
import type { Message } from '../../runtime/protocol/message.ts'
import type { WorkerNode } from '../../runtime/topology/plan.ts'
import { bytes, sampleMessage, sampleNode, samplePlan } from './samples.ts'

const spanId = '00000000000000aa'

function headersOf(message: Partial<Message>, node: Partial<WorkerNode> = {}, call: Partial<Call> = {}) {
  const worker = sampleNode(node)
  const prepared = prepareNode(samplePlan(worker), worker)
  const flat = requestHeaders(prepared, sampleMessage(message), {
    attempt: 2,
    sequence: 41,
    deadlineMs: Date.UTC(2026, 0, 1, 0, 0, 30),
    spanId,
    watermark: null,
    signature: null,
    ...call,
  })
  expect(flat.length % 2).toBe(0)
  const pairs = flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1]!] as const] : []))
  expect(new Set(pairs.map(([name]) => name)).size).toBe(pairs.length)
  return Object.fromEntries(pairs)
}

describe('the headers of a call', () => {
  test('a plain message has exactly the headers of the protocol', () => {
    expect(headersOf({ trace: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01` })).toEqual({
      'content-type': 'application/json',
      'ce-specversion': '1.0',
      'ce-id': 'm1',
      'ce-source': '/topologies/orders/nodes/begin',
      'ce-type': 'orders.normalise',
      'ce-time': '2026-01-01T00:00:00.000Z',
      'ce-correlationid': 'r1',
      traceparent: `00-${'1'.repeat(32)}-${spanId}-01`,
      'idempotency-key': 'm1@normalise',
      'sluice-protocol': '1',
      'sluice-node': 'normalise',
      'sluice-topology': 'orders;rev=3',
      'sluice-attempt': '2;max=10',
      'sluice-sequence': '41',
      'sluice-deadline': '2026-01-01T00:00:30.000Z',
    })
  })

  test('a start message comes from the topology itself', () => {
    expect(headersOf({ from: '' })['ce-source']).toBe('/topologies/orders')
  })

  test('tenant, key and user headers are sent when set, percent-encoded where they are not ASCII', () => {
    const message = { tenant: 'Škoda 1', key: '50%', headers: { 'x-shop': 'a b%20c', 'x-city': 'Praha é' } }
    expect(headersOf(message)).toMatchObject({
      'sluice-tenant': '%C5%A0koda%201',
      'ce-partitionkey': '50%25',
      'x-shop': 'a b%20c',
      'x-city': 'Praha%20%C3%A9',
    })
  })

  test('followers are named from two on, in the order of the document', () => {
    expect(headersOf({}, { followers: ['i', 'j'] })['sluice-followers']).toBe('a, b')
    expect(headersOf({}, { followers: ['i'] })).not.toHaveProperty('sluice-followers')
  })

  test('settings travel as base64url of their JSON', () => {
    const sent = headersOf({}, { settings: { shop: 'é' } })['sluice-settings']!
    expect(JSON.parse(Buffer.from(sent, 'base64url').toString())).toEqual({ shop: 'é' })
  })

  test('a batch node gets page, cursor and watermark, and its idempotency key holds the page', () => {
    const sent = headersOf({ page: 4, cursor: 'next=%2F7' }, { type: 'batch' }, { watermark: '2026' })
    expect(sent).toMatchObject({
      'sluice-page': '4',
      'sluice-cursor': 'next=%2F7',
      'sluice-watermark': '2026',
      'idempotency-key': 'm1@normalise#4',
    })
    const first = headersOf({}, { type: 'batch' })
    expect(first['sluice-page']).toBe('0')
    expect(first).not.toHaveProperty('sluice-cursor')
    expect(headersOf({ cursor: 'x' }, {}, { watermark: 'x' })).not.toHaveProperty('sluice-watermark')
  })

  test('all calls of a run without a trace share one', () => {
    const traces = ['r1', 'r1', 'r2'].map((run) => headersOf({ run, trace: null })['traceparent']!)
    expect(traces[0]).toMatch(/^00-[0-9a-f]{32}-00000000000000aa-00$/)
    expect(traces[1]).toBe(traces[0])
    expect(traces[2]).not.toBe(traces[0])
  })

  test('a span id has 16 hex digits and is never zero', () => {
    for (const random of [() => 0, () => 0.999999999999, Math.random]) {
      expect(newSpanId(random)).toMatch(/^(?!0{16})[0-9a-f]{16}$/)
    }
  })

  test('a plan that lacks a follower is refused with both ids', () => {
    const node = sampleNode({ followers: ['gone'] })
    expect(() => prepareNode({ ...samplePlan(node), nodes: [node] }, node)).toThrow(/t1 .*gone/)
  })

  test('the largest call that the limits allow stays under 16 KiB', () => {
    const followers = Array.from({ length: 8 }, (_, index) => `f${index}`)
    const settings = { s: 'x'.repeat(3062) }
    const message = {
      page: 999_999,
      cursor: 'c'.repeat(4096),
      tenant: 't'.repeat(256),
      key: 'k'.repeat(256),
      headers: { 'x-h': 'v'.repeat(4093) },
      contentType: 'a'.repeat(256),
    }
    const key = signingKey('secret')
    const call = { watermark: 'w'.repeat(1024), signature: { key, atMs: 0 } }
    const sent = headersOf(message, { type: 'batch', settings, followers }, call)
    const size = Object.entries(sent).reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0)
    expect(sent['sluice-settings']!.length).toBeLessThanOrEqual(4096)
    expect(size + 1024).toBeLessThan(16 * 1024)
  })
})

describe('the signature', () => {
  test('is the one of the Standard Webhooks specification', () => {
    const key = signingKey('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')
    expect(sign(key, 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1614265330, bytes('{"test": 2432232314}'))).toBe(
      'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    )
  })

  test('covers the idempotency key, the time in seconds and the body', () => {
    const sent = headersOf({}, {}, { signature: { key: signingKey('plain é'), atMs: 1_700_000_000_999 } })
    const expected = createHmac('sha256', Buffer.from('plain é'))
      .update('m1@normalise.1700000000.{"n":1}')
      .digest('base64')
    expect(sent).toMatchObject({
      'webhook-id': 'm1@normalise',
      'webhook-timestamp': '1700000000',
      'webhook-signature': `v1,${expected}`,
    })
  })
})

describe('header values', () => {
  test('any text survives the way there and back as printable ASCII', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const encoded = encodeHeaderValue(text)
        expect(encoded).toMatch(/^[\x21-\x7e]*$/)
        expect(decodeHeaderValue(encoded)).toBe(text)
      }),
    )
  })

  test('what a header can carry is handed back exactly, escapes and blanks included', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii' }), (text) => {
        expect(opaqueHeaderValue(text)).toBe(text)
      }),
    )
  })

  test('no text can break out of its header', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        for (const value of [encodeHeaderValue(text), opaqueHeaderValue(text)]) expect(value).toMatch(/^[\x20-\x7e]*$/)
      }),
    )
  })

  test('a broken escape is left as it is', () => {
    expect(decodeHeaderValue('100% %zz %C3 %C3%A9')).toBe('100% %zz %C3 é')
  })

  test('user headers are lower-case x- names of at most 4 KiB in all', () => {
    expect(userHeadersFault({ 'x-a': '1', 'x-b.c_d': '' })).toBeNull()
    expect(userHeadersFault({ 'x-a': 'v'.repeat(4093) })).toBeNull()
    expect(userHeadersFault({ 'x-a': 'v'.repeat(4094) })).toContain('4097 bytes')
    for (const name of ['host', 'X-A', 'x-', 'x-a b', 'x-a\r\n', '__proto__x']) {
      expect(userHeadersFault({ [name]: '1' })).toContain('is not a lower-case x-… name')
    }
  })
})
