import { expect, test } from 'vitest'
import { cursorMark } from '../../runtime/protocol/reading.ts'
import type { WatermarkPolicy } from '../../runtime/topology/plan.ts'
import { reply, verdictOf } from './decide-samples.ts'

const json = { 'content-type': 'application/json', 'sluice-emit': 'records' } as const
const policy: WatermarkPolicy = { commit: 'drained', lookBackMs: null, lookBackBy: null, initial: null }

const page = (headers: Record<string, string>, watermark: Partial<WatermarkPolicy> = {}, message = {}) =>
  verdictOf(reply(200, { ...json, ...headers }, '[1]'), {
    node: { type: 'batch', maxPages: 3, watermark: { ...policy, ...watermark } },
    message,
  })

const refusal = (headers: Record<string, string>, watermark = {}, message = {}) => {
  const verdict = page(headers, watermark, message)
  return verdict.kind === 'trash' ? [verdict.problem.type, verdict.problem.detail] : verdict.kind
}

test('a page says how far the source has been read and how far the run is', () => {
  expect(page({ 'sluice-watermark': '7', 'sluice-progress': ' 3/9 ', 'sluice-cursor': 'c' })).toMatchObject({
    kind: 'split',
    next: 'c',
    watermark: '7',
    progress: '3/9',
  })
  expect(
    verdictOf(reply(204, { 'sluice-watermark': '7', 'sluice-progress': '100%25' }), { node: { type: 'batch' } }),
  ).toEqual({ kind: 'end', watermark: '7', progress: '100%' })
})

test('progress is for people: one that is too long is cut, one that is empty is none', () => {
  expect(page({ 'sluice-progress': 'x'.repeat(9_000) })).toMatchObject({ progress: 'x'.repeat(200) })
  expect(page({ 'sluice-progress': '  ' })).toMatchObject({ progress: null })
})

test.each<[string, Record<string, string>, object, RegExp]>([
  ['over 1 KiB', { 'sluice-watermark': 'x'.repeat(1025) }, {}, /longer than 1024 bytes/],
  ['not printable', { 'sluice-watermark': 'a\x7fb' }, {}, /not printable ASCII/],
  ['not ASCII', { 'sluice-watermark': 'né' }, {}, /not printable ASCII/],
  ['a number where times look back', { 'sluice-watermark': '7' }, { lookBackMs: 1 }, /"7".*lookBackMs.*RFC 3339 time/],
  ['a time where numbers look back', { 'sluice-watermark': '2026-03-01T10:00:00Z' }, { lookBackBy: 1 }, /whole number/],
])('a watermark that is %s goes to Trash with the reason', (_, headers, watermark, reason) => {
  expect(refusal(headers, watermark)).toEqual(['urn:sluice:malformed-reply', expect.stringMatching(reason)])
})

test('a watermark of 1 KiB, and one of the kind that looks back, are taken', () => {
  expect(page({ 'sluice-watermark': 'x'.repeat(1024) })).toMatchObject({ kind: 'split' })
  expect(page({ 'sluice-watermark': '2026-03-01T10:00:00Z' }, { lookBackMs: 1 })).toMatchObject({ kind: 'split' })
  expect(page({ 'sluice-watermark': '-7' }, { lookBackBy: 1 })).toMatchObject({ kind: 'split' })
})

test.each<[string, Record<string, string>, object, string, RegExp]>([
  ['over 4 KiB', { 'sluice-cursor': 'x'.repeat(4097) }, {}, 'cursor', /longer than 4096 bytes/],
  ['over 4 KiB when it is encoded', { 'sluice-cursor': 'é'.repeat(700) }, {}, 'cursor', /longer than 4096 bytes/],
  ['the one it was asked with', { 'sluice-cursor': 'c' }, { page: 1, cursor: 'c' }, 'cursor', /asked with: c/],
  [
    'that of an earlier page',
    { 'sluice-cursor': 'a' },
    { page: 1, cursor: 'b', mark: cursorMark('a') },
    'cursor',
    /earlier page, so the pages go round: a/,
  ],
  ['one too many', { 'sluice-cursor': 'd' }, { page: 2, cursor: 'c' }, 'too-many-pages', /maxPages of the node is 3/],
])('a cursor that is %s goes to Trash with the reason', (_, headers, message, name, reason) => {
  expect(refusal(headers, {}, message)).toEqual([`urn:sluice:${name}`, expect.stringMatching(reason)])
})

test('the last page that maxPages allows is read, and a cursor of 4 KiB is taken', () => {
  expect(page({}, {}, { page: 2, cursor: 'c' })).toMatchObject({ kind: 'split', next: null })
  expect(page({ 'sluice-cursor': 'x'.repeat(4096) })).toMatchObject({ kind: 'split' })
})

test.each([
  ['no content', reply(204, { 'sluice-cursor': 'c' })],
  ['an empty list', reply(200, { ...json, 'sluice-cursor': 'c' }, '[]')],
  ['an end', reply(200, { ...json, 'sluice-cursor': 'c', 'sluice-end': '1' }, '[1]')],
])('an empty page with a cursor goes on: %s', (_, answer) => {
  expect(verdictOf(answer, { node: { type: 'batch' } })).toMatchObject({ kind: 'split', messages: 0, next: 'c' })
})

test.each([
  ['half an array', '[1, 2', 'application/json', /body is not JSON/],
  ['an object', '{"a": 1}', 'application/json', /not an array/],
  ['a page of HTML', '<html>', 'text/html', /body is not JSON/],
  ['bytes that are no text', '\xff', 'application/octet-stream', /body is not JSON/],
])('a page of records that is %s goes to Trash with the reason', (_, body, contentType, reason) => {
  const answer = reply(200, { 'content-type': contentType, 'sluice-emit': 'records' }, body)
  const verdict = verdictOf(answer, { node: { type: 'batch' } })
  expect(verdict).toMatchObject({
    kind: 'trash',
    problem: { type: 'urn:sluice:malformed-reply', detail: expect.stringMatching(reason) as string },
  })
})
