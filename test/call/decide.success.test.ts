import { describe, expect, test } from 'vitest'
import { bytes, textOf } from '../protocol/samples.ts'
import { reply, verdictOf, type Around } from './decide-samples.ts'

const json = { 'content-type': 'application/json' } as const
const events = { 'content-type': 'application/cloudevents-batch+json' } as const
const batch = { node: { type: 'batch' } } as const
const many = { followers: ['a', 'b', 'c'] } as const
const leaf = { followers: [] } as const

describe('one output to one follower', () => {
  test.each([200, 201, 202, 206, 299])('%i forwards the body with its content type', (status) => {
    const verdict = verdictOf(reply(status, { 'content-type': 'text/csv' }, 'a;b'))
    expect(verdict).toMatchObject({ kind: 'forward', follower: 'id-next', output: { contentType: 'text/csv' } })
    expect(verdict.kind === 'forward' && textOf(verdict.output.body)).toBe('a;b')
  })

  test('a body without content type is application/octet-stream', () => {
    expect(verdictOf(reply(200, {}, '1'))).toMatchObject({ output: { contentType: 'application/octet-stream' } })
  })

  test('headers, key and tenant of the message are carried along unless the reply sets them', () => {
    const message = { headers: { 'x-a': '1', 'x-b': '1' }, key: 'k', tenant: 't' }
    expect(verdictOf(reply(200, json, '1'), { message })).toMatchObject({ output: message })
    const set = { ...json, 'x-b': '2', 'x-c': '3', 'ce-partitionkey': 'k%C3%A9', 'sluice-tenant': 'u', 'ce-id': '9' }
    expect(verdictOf(reply(200, set, '1'), { message })).toMatchObject({
      output: { headers: { 'x-a': '1', 'x-b': '2', 'x-c': '3' }, key: 'ké', tenant: 'u' },
    })
  })

  test('sluice-pass forwards the input unchanged, with the headers that the reply sets', () => {
    const message = { contentType: 'text/plain', body: bytes('as it was') }
    for (const passed of [
      reply(200, { ...json, 'sluice-pass': '1', 'x-seen': '1' }, '{}'),
      reply(204, { 'sluice-pass': '1', 'x-seen': '1' }),
    ]) {
      expect(verdictOf(passed, { message })).toMatchObject({
        kind: 'forward',
        output: { ...message, headers: { 'x-seen': '1' } },
      })
    }
  })
})

describe('nothing to hand on', () => {
  test.each<[string, ReturnType<typeof reply>, Around]>([
    ['204', reply(204), {}],
    ['a 200 without a body', reply(200, json), {}],
    ['sluice-end with a body', reply(200, { ...json, 'sluice-end': '1' }, '{}'), {}],
    ['a node without followers', reply(200, json, '{}'), leaf],
    ['an empty list of records', reply(200, { ...json, 'sluice-emit': 'records' }, '[]'), many],
    ['an empty batch of events', reply(200, events, '[]'), many],
    ['a route to nobody', reply(200, { ...json, 'sluice-route': '' }, '{}'), many],
    ['events that all go nowhere', reply(200, events, '[{"data":1,"sluiceroute":""}]'), many],
    ['the last, empty page of a batch node', reply(204), batch],
  ])('%s ends the branch well', (_, result, around) => {
    expect(verdictOf(result, around)).toEqual({ kind: 'end', watermark: null, progress: null })
  })
})

describe('a split', () => {
  test('goes to all followers of a node that has several', () => {
    expect(verdictOf(reply(200, json, '{}'), many)).toMatchObject({
      kind: 'split',
      emit: { kind: 'page' },
      route: null,
      messages: 3,
      next: null,
      watermark: null,
    })
  })

  test('keeps to the route, each name once, also when it names only one', () => {
    const routed = (route: string) => verdictOf(reply(200, { ...json, 'sluice-route': route }, '{}'), many)
    expect(routed('c, a,c')).toMatchObject({ kind: 'split', route: ['id-c', 'id-a'], messages: 2 })
    expect(routed('b')).toMatchObject({ kind: 'split', route: ['id-b'], messages: 1 })
  })

  test('is what becomes of a list, whatever its length', () => {
    const list = (body: string, how: string) => verdictOf(reply(200, { ...json, 'sluice-emit': how }, body))
    expect(list('[1,2,3]', 'records')).toMatchObject({ kind: 'split', emit: { kind: 'records' }, messages: 3 })
    expect(list('[1,2,3]', 'chunks=2')).toMatchObject({ kind: 'split', emit: { kind: 'chunks', n: 2 }, messages: 2 })
    expect(list('[1]', 'records')).toMatchObject({ kind: 'split', messages: 1 })
  })

  test('follows the node when the reply does not say how to emit', () => {
    const node = { emit: { kind: 'records' } } as const
    expect(verdictOf(reply(200, json, '[1,2]'), { node })).toMatchObject({ kind: 'split', messages: 2 })
    expect(verdictOf(reply(200, json, '{}'), { node })).toMatchObject({ kind: 'forward' })
  })

  test('counts the followers that each event names', () => {
    const body =
      '[{"data":1},{"data":2,"sluiceroute":"a"},{"data":3,"sluiceroute":"b,c,b"},{"data":4,"sluiceroute":""}]'
    expect(verdictOf(reply(200, events, body), many)).toMatchObject({
      kind: 'split',
      emit: { kind: 'events' },
      messages: 6,
    })
    const routed = reply(200, { ...events, 'sluice-route': 'a' }, body)
    expect(verdictOf(routed, many)).toMatchObject({ route: ['id-a'], messages: 4 })
  })
})

describe('a batch node', () => {
  const paged = (headers: Record<string, string>, body = '[]', around: Around = {}) =>
    verdictOf(reply(200, { ...json, 'sluice-emit': 'records', ...headers }, body), { ...batch, ...around })

  test('with outputs always splits, with one follower too', () => {
    expect(verdictOf(reply(200, json, '{}'), batch)).toMatchObject({ kind: 'split', messages: 1, next: null })
  })

  test('hands on the next cursor exactly as it came, and the watermark', () => {
    const verdict = paged({ 'sluice-cursor': 'a%20b c', 'sluice-watermark': 'w' }, '[1,2]')
    expect(verdict).toMatchObject({ kind: 'split', messages: 2, next: 'a%20b c', watermark: 'w' })
  })

  test('with an empty page and a cursor goes on without outputs', () => {
    expect(paged({ 'sluice-cursor': 'c' })).toMatchObject({ kind: 'split', messages: 0, next: 'c' })
    expect(verdictOf(reply(204, { 'sluice-cursor': 'c' }), batch)).toMatchObject({
      kind: 'split',
      messages: 0,
      next: 'c',
    })
    const leafOfPages = verdictOf(reply(200, { ...json, 'sluice-cursor': 'c' }, '{}'), { ...batch, ...leaf })
    expect(leafOfPages).toMatchObject({ kind: 'split', messages: 0, next: 'c' })
  })

  test('with an empty last page ends with its watermark', () => {
    expect(paged({ 'sluice-watermark': 'w', 'sluice-cursor': '' })).toEqual({
      kind: 'end',
      watermark: 'w',
      progress: null,
    })
  })

  test('may not answer with a cursor that is too long or the one it was asked with', () => {
    expect(paged({ 'sluice-cursor': 'c'.repeat(4096) })).toMatchObject({ kind: 'split' })
    expect(paged({ 'sluice-cursor': 'c'.repeat(4097) })).toMatchObject({
      kind: 'trash',
      problem: { type: 'urn:sluice:cursor' },
    })
    const again = paged({ 'sluice-cursor': 'c' }, '[1]', { message: { page: 3, cursor: 'c' } })
    expect(again).toMatchObject({ kind: 'trash', problem: { type: 'urn:sluice:cursor' } })
  })

  test('may not store a page that is too large together with the message that asked for it', () => {
    const message = { body: new Uint8Array(8 * 1024 * 1024 - 3) }
    expect(paged({ 'sluice-cursor': 'c' }, '[1]', { message })).toMatchObject({ kind: 'split' })
    expect(paged({ 'sluice-cursor': 'c' }, '[10]', { message })).toMatchObject({
      kind: 'trash',
      problem: { type: 'urn:sluice:reply-too-large' },
    })
    expect(paged({}, '[10]', { message })).toMatchObject({ kind: 'split' })
  })

  test('reads maxPages pages and no more', () => {
    const page = (n: number) =>
      paged({ 'sluice-cursor': 'c' }, '[1]', { node: { type: 'batch', maxPages: 3 }, message: { page: n } })
    expect(page(1)).toMatchObject({ kind: 'split', next: 'c' })
    expect(page(2)).toMatchObject({ kind: 'trash', problem: { type: 'urn:sluice:too-many-pages' } })
  })
})

describe('a malformed success goes to Trash with the reason', () => {
  test.each<[string, ReturnType<typeof reply>, Around, string]>([
    ['bad events', reply(200, events, '[{}]'), {}, 'event 0 of the batch'],
    ['bad events of a leaf', reply(200, events, '{'), leaf, 'not JSON'],
    ['records that are no array', reply(200, { 'sluice-emit': 'records' }, '{}'), {}, 'not an array'],
    ['an unknown emit', reply(200, { 'sluice-emit': 'rows' }, '[]'), {}, 'sluice-emit is "rows"'],
    ['an unknown route', reply(200, { 'sluice-route': 'a, x' }, '1'), many, 'routes to "x"'],
    ["an event's unknown route", reply(200, events, '[{"data":1,"sluiceroute":"x"}]'), many, 'followers are a, b, c'],
    ['a prototype name as route', reply(200, { 'sluice-route': '__proto__' }, '1'), many, 'routes to "__proto__"'],
    ['user headers over 4 KiB', reply(200, { 'x-a': 'v'.repeat(4096) }, '1'), {}, '4099 bytes'],
    ['a long tenant', reply(200, { 'sluice-tenant': 't'.repeat(257) }, '1'), {}, 'sluice-tenant is longer than 256'],
    [
      'a long watermark',
      reply(200, { 'sluice-watermark': 'w'.repeat(1025) }, '1'),
      batch,
      'sluice-watermark is longer',
    ],
    ['a cursor from a custom node', reply(200, { 'sluice-cursor': 'c' }, '1'), {}, 'for batch nodes'],
    ['a compressed body', reply(200, { 'content-encoding': 'gzip' }, '1'), {}, 'compressed'],
    ['a broken content type', reply(200, { 'content-type': 'text/plain; q="é"' }, '1'), {}, 'content-type'],
  ])('%s', (_, result, around, why) => {
    const verdict = verdictOf(result, around)
    expect(verdict).toMatchObject({ kind: 'trash', status: 200 })
    expect(verdict.kind === 'trash' && verdict.problem.detail).toContain(why)
  })
})
