import { describe, expect, test } from 'vitest'
import { Tries } from '../../runtime/bridge/tries.ts'
import type { CallResult, Verdict } from '../../runtime/call/decide.ts'
import { sampleMessage } from '../protocol/samples.ts'
import { ordered, reply, verdictOf } from './decide-samples.ts'

/** Whether the message's next call has a higher attempt; null when there is no next call. */
function burns(verdict: Verdict): boolean | null {
  if (verdict.kind === 'hold') return verdict.burns
  if (verdict.kind === 'pause') return false
  return verdict.kind === 'later' ? true : null
}

const waits: [string, CallResult][] = [
  ['429', reply(429)],
  ['429 with Retry-After', reply(429, { 'retry-after': '3' })],
  ['503 with Retry-After', reply(503, { 'retry-after': '3' })],
  ['a refused connection', { kind: 'refused' }],
  ['an open breaker', { kind: 'held', detail: 'it is open' }],
  ['a refused signature', reply(401, { 'sluice-signature': 'refused' })],
  ['a retired node', reply(410, { 'sluice-retired': '1' })],
]

const failures: [string, CallResult][] = [
  ['a time-out', { kind: 'timeout' }],
  ['a connection that is lost after the request was sent', { kind: 'lost' }],
  ['what is no HTTP reply', { kind: 'bad-reply', detail: 'garbage' }],
  ['408', reply(408)],
  ['409', reply(409)],
  ['425', reply(425)],
  ['404 without a problem', reply(404)],
  ['500', reply(500)],
  ['503 without Retry-After', reply(503)],
  ['400 with sluice-retry: 1', reply(400, { 'sluice-retry': '1' })],
]

const ends: [string, CallResult][] = [
  ['200', reply(200, {}, '1')],
  ['204', reply(204)],
  ['302', reply(302)],
  ['422', reply(422)],
  ['500 with sluice-retry: 0', reply(500, { 'sluice-retry': '0' })],
  ['a reply that is too large', { kind: 'too-large' }],
]

describe.each([
  ['a parallel', { prefetch: 5 }],
  ['an ordered', ordered],
])('on %s node', (_kind, node) => {
  test.each(waits)('%s burns no attempt, however often and whatever the policy', (_what, result) => {
    const retry = { attempts: 1, backoff: 'fixed', baseMs: 1, maxMs: 1, on: ['timeout'], maxAgeMs: 1 } as const
    for (const context of [{}, { attempt: 1, waits: 1_000, inPlaceMs: 1e9 }])
      expect(burns(verdictOf(result, { node: { ...node, retry }, context }))).toBe(false)
  })

  test.each(failures)('%s burns an attempt', (_what, result) => {
    expect(burns(verdictOf(result, { node }))).toBe(true)
    expect(verdictOf(result, { node, context: { attempt: 10 } }).kind).toBe('trash')
  })

  test.each(ends)('after %s there is no other attempt', (_what, result) => {
    expect(burns(verdictOf(result, { node }))).toBeNull()
  })
})

test('waits leave the attempt and the history of a message as they are, failures are counted on', () => {
  const hold = { kind: 'hold', delayMs: 10, failure: { status: 500, problem: { type: 't', title: 't' } } } as const
  const tries = new Tries(sampleMessage({ attempt: 2 }))
  for (let i = 0; i < 5; i++) tries.stay({ ...hold, burns: false, cause: 'busy' })
  expect([tries.attempt, tries.soFar.history.length]).toEqual([3, 0])
  tries.failed(hold.failure, { result: reply(500), instance: null, durationMs: 1 })
  tries.stay({ ...hold, burns: true, cause: 'retry' })
  expect([tries.attempt, tries.soFar.history.length]).toEqual([4, 1])
})
