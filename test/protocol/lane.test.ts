import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keyAt, laneOf } from '../../runtime/protocol/lane.ts'
import { prepareNode, requestHeaders } from '../../runtime/protocol/native.ts'
import { parsePartitionKey } from '../../runtime/topology/lanes/partition-key.ts'
import { bytes, sampleMessage, sampleNode, samplePlan } from './samples.ts'

const place = (text: string) => parsePartitionKey(text)
const withBody = (body: string, more = {}) => sampleMessage({ body: bytes(body), ...more })

describe('the key of a message', () => {
  test.each([
    ['/customer/id', '{"customer":{"id":"c7"}}', 'c7'],
    ['/customer/id', ' \n{"customer":{"id":7}}', '7'],
    ['/0/id', '[{"id":true}]', 'true'],
    ['/a~1b', '{"a/b":"x"}', 'x'],
    ['/id', '{"id":null}', null],
    ['/id', '{"id":""}', null],
    ['/id', '{"id":{"x":1}}', null],
    ['/toString', '{}', null],
    ['/length', '[1]', null],
    ['/00', '[1]', null],
    ['/id', 'id=7', null],
    ['/id', '{"id":', null],
    ['/id', '"{}"', null],
    ['/id', '', null],
  ])('at %s in %s is %j', (pointer, body, key) => {
    expect(keyAt(place(pointer), withBody(body))).toBe(key)
  })

  test('may stand in a header', () => {
    expect(keyAt(place('header:x-customer'), sampleMessage({ headers: { 'x-customer': 'c7' } }))).toBe('c7')
    expect(keyAt(place('header:x-customer'), sampleMessage())).toBeNull()
  })
})

describe('the lane of a message', () => {
  test('is the same for the same key, wherever the key stands and whatever the id', () => {
    const lane = laneOf(place('/id'), 16, withBody('{"id":"c7"}', { id: 'm1' }))
    expect(laneOf(place('/id'), 16, withBody('{"id":"c7","n":2}', { id: 'm2', key: 'other' }))).toBe(lane)
    expect(laneOf(null, 16, sampleMessage({ id: 'm3', key: 'c7' }))).toBe(lane)
    expect(laneOf(place('/id'), 16, withBody('not JSON', { id: 'm4', key: 'c7' }))).toBe(lane)
    expect(laneOf(place('header:x-id'), 16, sampleMessage({ headers: { 'x-id': 'c7' } }))).toBe(lane)
  })

  test('never depends on the id of a message that has a key, and is always one of the lanes', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), fc.integer({ min: 1, max: 64 }), (key, a, b, partitions) => {
        const lane = laneOf(null, partitions, sampleMessage({ id: a, key }))
        expect(laneOf(null, partitions, sampleMessage({ id: b, key }))).toBe(lane)
        expect(lane).toBeGreaterThanOrEqual(0)
        expect(lane).toBeLessThan(partitions)
      }),
    )
  })

  test.each([2, 3, 16, 64])('spreads messages without a key over %i lanes evenly', (partitions) => {
    const counts = new Array<number>(partitions).fill(0)
    const each = 500
    for (let n = 0; n < each * partitions; n++) {
      const lane = laneOf(null, partitions, sampleMessage({ id: `0f3a9c.${n}` }))
      counts[lane] = (counts[lane] ?? 0) + 1
    }
    expect(Math.min(...counts)).toBeGreaterThan(each * 0.7)
    expect(Math.max(...counts)).toBeLessThan(each * 1.3)
  })

  test('stays what it was in older releases', () => {
    expect(['a', 'b', 'customer-42', 'ž'].map((key) => laneOf(null, 64, sampleMessage({ key })))).toEqual(lanesOfOld)
  })
})

/** Messages of one key that an older bridge and a newer one publish must share a lane. */
const lanesOfOld = [51, 50, 12, 54]

describe('a call of a partitioned node', () => {
  const headersOf = (fields: Parameters<typeof sampleNode>[0], message: ReturnType<typeof sampleMessage>) => {
    const node = sampleNode(fields)
    const call = { attempt: 1, sequence: 1, deadlineMs: 0, spanId: '0'.repeat(16), watermark: null, signature: null }
    const headers = requestHeaders(prepareNode(samplePlan(node), node), message, call)
    const index = headers.indexOf('ce-partitionkey')
    return index < 0 ? null : headers[index + 1]
  }

  test('says the key of the lane, unless a worker set one', () => {
    const lanes = { partitions: 4, partitionKey: '/id' }
    expect(headersOf(lanes, withBody('{"id":"c 7"}'))).toBe('c%207')
    expect(headersOf(lanes, withBody('{"id":"c7"}', { key: 'set' }))).toBe('set')
  })

  test('says none when there is none, or one that is too long for a header', () => {
    expect(headersOf({ partitions: 4 }, withBody('{"id":"c7"}'))).toBeNull()
    expect(headersOf({ partitions: 4, partitionKey: '/id' }, withBody('{}'))).toBeNull()
    expect(headersOf({ partitions: 1, partitionKey: '/id' }, withBody('{"id":"c7"}'))).toBeNull()
    expect(headersOf({ partitions: 4, partitionKey: '/id' }, withBody(`{"id":"${'x'.repeat(257)}"}`))).toBeNull()
  })
})
