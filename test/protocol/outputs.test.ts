import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { emitOf, parseRoute, readOutputs, type Emit, type Outputs } from '../../runtime/protocol/outputs.ts'
import { bytes, textOf } from './samples.ts'

const json = 'application/json'
const batch = 'application/cloudevents-batch+json'

function read(body: string, emit: Emit, contentType = json): Outputs {
  const outputs = readOutputs(bytes(body), contentType, emit)
  if (outputs.kind === 'malformed') throw new Error(outputs.detail)
  return outputs
}

const bodiesOf = (outputs: Outputs): string[] => [...outputs].map(({ body }) => textOf(body))

function detailOf(body: Uint8Array, emit: Emit): string {
  const outputs = readOutputs(body, json, emit)
  return outputs.kind === 'malformed' ? outputs.detail : 'well formed'
}

describe('records', () => {
  test('each element leaves byte for byte as it came', () => {
    const records = [
      '12345678901234567890',
      '1.0',
      '{ "b": 1, "a": "]\\"[" }',
      'null',
      '"é\\u00e9"',
      '[[1], {"x": []}]',
    ]
    expect(bodiesOf(read(`\uFEFF [ ${records.join(' ,\n')} ]\n`, { kind: 'records' }))).toEqual(records)
  })

  test('any JSON array gives its elements, and may be walked twice', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.constantFrom(undefined, 2), (values, indent) => {
        const outputs = read(JSON.stringify(values, null, indent), { kind: 'records' })
        expect(outputs.count).toBe(values.length)
        const parsed = bodiesOf(outputs).map((text) => JSON.parse(text) as unknown)
        expect(JSON.stringify(parsed)).toBe(JSON.stringify(values))
        expect(bodiesOf(outputs)).toHaveLength(values.length)
      }),
    )
  })

  test('every record is application/json and inherits route, key and tenant', () => {
    const [first] = read('[1]', { kind: 'records' }, 'text/plain')
    expect(first).toMatchObject({ contentType: json, route: null, key: null, tenant: null })
  })
})

describe('chunks', () => {
  test('groups of N keep order, and the last one takes the rest', () => {
    const outputs = read('[1, 2, {"a":3},4,5]', { kind: 'chunks', n: 2 })
    expect(outputs.count).toBe(3)
    expect(bodiesOf(outputs)).toEqual(['[1, 2]', '[{"a":3},4]', '[5]'])
  })

  test('all chunks together are the array', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.integer({ min: 1, max: 7 }), (values, n) => {
        const outputs = read(JSON.stringify(values), { kind: 'chunks', n })
        const chunks = bodiesOf(outputs).map((text) => JSON.parse(text) as unknown[])
        expect(chunks).toHaveLength(outputs.count)
        expect(JSON.stringify(chunks.flat(1))).toBe(JSON.stringify(values))
      }),
    )
  })
})

describe('a CloudEvents batch', () => {
  const only = (event: object) => [...read(JSON.stringify([event]), { kind: 'events' }, batch)][0]!

  test('JSON data leaves byte for byte, whatever the events hold besides', () => {
    const text = '[{"x":{"data":0},"d\\u0061ta":0,"data": {"id":12345678901234567890} ,"y":"}"}]'
    expect(bodiesOf(read(text, { kind: 'events' }, batch))).toEqual(['{"id":12345678901234567890}'])
  })

  test('text data of a type that is not JSON is its text, and base64 data its bytes', () => {
    expect(textOf(only({ data: 'a"b', datacontenttype: 'text/plain' }).body)).toBe('a"b')
    expect(textOf(only({ data: 'a', datacontenttype: json }).body)).toBe('"a"')
    expect([...only({ data_base64: 'AP8=', datacontenttype: 'image/png' }).body]).toEqual([0, 255])
    expect(only({ data: null }).contentType).toBe(json)
  })

  test('an event may name its own followers, key and tenant', () => {
    const outputs = read('[{"data":1,"sluiceroute":"a, b,a","partitionkey":"k","sluicetenant":"t"},{"data":2}]', {
      kind: 'events',
    })
    expect(outputs.routes).toEqual([['a', 'b']])
    expect([...outputs].map(({ route, key, tenant }) => ({ route, key, tenant }))).toEqual([
      { route: ['a', 'b'], key: 'k', tenant: 't' },
      { route: null, key: null, tenant: null },
    ])
  })

  test.each([
    [1, 'is not an object'],
    [{}, 'needs data or data_base64'],
    [{ data: 1, data_base64: '' }, 'exactly one'],
    [{ data_base64: '?' }, 'not base64'],
    [{ data: 1, sluiceroute: ['a'] }, 'sluiceroute that is not a string'],
    [{ data: 1, partitionkey: 7 }, 'partitionkey that is not a string'],
    [{ data: 1, partitionkey: 'é'.repeat(43) }, 'partitionkey longer than 256 bytes'],
    [{ data: '1', datacontenttype: 'a/b\r\nx-evil: 1' }, 'not printable ASCII'],
    [{ data: 1, datacontenttype: 'text/plain' }, 'not a string although'],
  ])('the event %j is refused with its place in the batch', (event, why) => {
    const detail = detailOf(bytes(JSON.stringify([{ data: 0 }, event])), { kind: 'events' })
    expect(detail).toContain('event 1 of the batch')
    expect(detail).toContain(why)
  })

  test('data survives the way there and back', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ data: fc.jsonValue(), extra: fc.jsonValue() })), (events) => {
        const outputs = read(JSON.stringify(events), { kind: 'events' }, batch)
        const expected = events.map(({ data }) => JSON.stringify(data))
        expect(bodiesOf(outputs)).toEqual(expected)
      }),
    )
  })
})

describe('what cannot be read', () => {
  test.each([
    [bytes('{}'), 'not an array'],
    [bytes('[1,'), 'not JSON'],
    [bytes(''), 'not JSON'],
    [Uint8Array.of(0x5b, 0x22, 0xff, 0x22, 0x5d), 'not JSON'],
  ])('%s is malformed with the reason', (body, why) => {
    expect(detailOf(body, { kind: 'records' })).toContain(why)
  })

  test('an array nested a hundred thousand levels deep is one record', () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000)
    expect(bodiesOf(read(deep, { kind: 'records' }))[0]).toHaveLength(deep.length - 2)
  })

  test('no bytes make reading or walking throw', () => {
    const emits: Emit[] = [{ kind: 'page' }, { kind: 'records' }, { kind: 'events' }, { kind: 'chunks', n: 3 }]
    fc.assert(
      fc.property(fc.uint8Array(), fc.string(), fc.constantFrom(...emits), (raw, text, emit) => {
        for (const body of [raw, bytes(text), bytes(`[${text}]`)]) {
          const outputs = readOutputs(body, json, emit)
          if (outputs.kind === 'outputs') expect([...outputs]).toHaveLength(outputs.count)
        }
      }),
    )
  })
})

describe('what a body becomes', () => {
  const records: Emit = { kind: 'records' }
  const page: Emit = { kind: 'page' }

  test.each<[Record<string, string>, string, Emit, Emit]>([
    [{ 'content-type': json }, '[1]', page, page],
    [{ 'content-type': json, 'sluice-emit': 'records' }, '[1]', page, records],
    [{ 'content-type': json, 'sluice-emit': 'chunks=50' }, '[1]', page, { kind: 'chunks', n: 50 }],
    [{ 'content-type': json, 'sluice-emit': 'page' }, '[1]', records, page],
    [
      { 'content-type': 'application/cloudevents-batch+json; charset=utf-8', 'sluice-emit': 'page' },
      '[]',
      page,
      { kind: 'events' },
    ],
    [{ 'content-type': 'application/vnd.shop+json' }, ' [1]', records, records],
    [{}, '\uFEFF[1]', records, records],
    [{ 'content-type': json }, '{"a":[1]}', records, page],
    [{ 'content-type': 'text/csv' }, '[1]', records, page],
  ])('headers %j with body %s', (headers, body, nodeEmit, expected) => {
    expect(emitOf(headers, bytes(body), nodeEmit)).toEqual(expected)
  })

  test.each(['rows', 'chunks=0', 'chunks=100001', 'chunks=-1', 'chunks=1e3'])('sluice-emit: %s is refused', (text) => {
    expect(emitOf({ 'sluice-emit': text }, bytes('[]'), page)).toMatchObject({ kind: 'malformed' })
  })

  test('a route names each follower once, in order', () => {
    expect(parseRoute(' b, a,b ,, a')).toEqual(['b', 'a'])
  })
})

test('a page of 100 000 records becomes as many outputs, and chunks and pages as few as they say', () => {
  const count = 100_000
  const body = Buffer.from(JSON.stringify(Array.from({ length: count }, (_, n) => n)))
  const made = (emit: Emit) => {
    const outputs = readOutputs(body, 'application/json', emit)
    return outputs.kind === 'outputs' ? [outputs.count, [...outputs].length] : outputs
  }
  expect(made({ kind: 'records' })).toEqual([count, count])
  expect(made({ kind: 'chunks', n: 30_000 })).toEqual([4, 4])
  expect(made({ kind: 'page' })).toEqual([1, 1])
})
