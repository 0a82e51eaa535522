import { describe, expect, test } from 'vitest'
import type { CallResult } from '../../runtime/call/decide.ts'
import { sampleNode } from '../protocol/samples.ts'
import { ordered, problemJson, reply, verdictOf, type Around } from './decide-samples.ts'

const retry = { ...sampleNode().retry }
const withRetry = (fields: Partial<typeof retry>): Around => ({ node: { retry: { ...retry, ...fields } } })

describe('the table of failures, on a parallel node', () => {
  test.each([408, 409, 425, 500, 501, 502, 503, 504, 599])('%i is tried again later and burns an attempt', (status) => {
    expect(verdictOf(reply(status))).toMatchObject({ kind: 'later', delayMs: 249, failure: { status } })
  })

  test.each([301, 302, 304, 307, 400, 402, 403, 405, 406, 410, 413, 415, 418, 422, 431, 451])(
    '%i goes to Trash at once',
    (status) => {
      const problem = { type: 'urn:sluice:http-status', status }
      expect(verdictOf(reply(status))).toMatchObject({ kind: 'trash', status, block: false, problem })
    },
  )

  test('401 and 410 pause the node only when the worker says why', () => {
    expect(verdictOf(reply(401))).toMatchObject({ kind: 'trash' })
    expect(verdictOf(reply(401, { 'sluice-signature': 'refused' }))).toMatchObject({
      kind: 'pause',
      reason: expect.stringContaining('refused our signature') as string,
    })
    expect(verdictOf(reply(410, { 'sluice-retired': '1' }))).toMatchObject({
      kind: 'pause',
      reason: expect.stringContaining('retired') as string,
    })
  })

  test('404 is tried again until the worker says by problem+json that it means it', () => {
    expect(verdictOf(reply(404, { 'content-type': 'text/html' }))).toMatchObject({ kind: 'later' })
    expect(verdictOf(reply(404, problemJson, '{}'))).toMatchObject({ kind: 'trash' })
  })

  test.each<[CallResult, string]>([
    [{ kind: 'timeout' }, 'urn:sluice:timeout'],
    [{ kind: 'lost' }, 'urn:sluice:connection-lost'],
  ])('%j burns an attempt', (result, type) => {
    expect(verdictOf(result)).toMatchObject({ kind: 'later', failure: { status: null, problem: { type } } })
  })

  test('a reply that is too large goes to Trash', () => {
    expect(verdictOf({ kind: 'too-large' })).toMatchObject({
      kind: 'trash',
      problem: { type: 'urn:sluice:reply-too-large' },
    })
  })
})

describe('waiting', () => {
  test.each([ordered, { prefetch: 5 }])('429 waits in place as long as it says, on a node with %j', (node) => {
    expect(verdictOf(reply(429, { 'retry-after': '7' }), { node })).toMatchObject({
      kind: 'hold',
      burns: false,
      cause: 'rate-limit',
      delayMs: 7000,
    })
  })

  test('429 without Retry-After backs off with each wait, and never burns', () => {
    const delays = [0, 1, 2, 100].map((waits) => {
      const verdict = verdictOf(reply(429), { context: { waits, attempt: 10 } })
      return verdict.kind === 'hold' && !verdict.burns ? verdict.delayMs : null
    })
    expect(delays).toEqual([250, 499, 999, 299_999])
  })

  test('503 waits with a Retry-After and is a failed attempt without a readable one', () => {
    const after = (value: string) => verdictOf(reply(503, { 'retry-after': value }))
    expect(after('2')).toMatchObject({ kind: 'hold', burns: false, cause: 'busy', delayMs: 2000 })
    expect(after('Thu, 01 Jan 2026 00:01:09 GMT')).toMatchObject({ kind: 'hold', delayMs: 9000 })
    expect(after('soon')).toMatchObject({ kind: 'later' })
  })

  test('a Retry-After of 0 for ever does not become a tight loop', () => {
    expect(verdictOf(reply(429, { 'retry-after': '0' }))).toMatchObject({ delayMs: 100 })
  })

  test('without an instance a message waits at most 5 seconds before it looks again, even with all attempts used', () => {
    const context = { attempt: 10, inPlaceMs: 1e9, waits: 50 }
    const verdict = verdictOf({ kind: 'refused', detail: 'no instance' }, { context })
    expect(verdict).toMatchObject({ kind: 'hold', burns: false, cause: 'refused', delayMs: 5000 })
  })

  test('what was held back burns nothing, and has waited already', () => {
    const verdict = verdictOf({ kind: 'held', detail: 'open' }, { context: { attempt: 10, inPlaceMs: 1e9 } })
    expect(verdict).toMatchObject({ kind: 'hold', burns: false, cause: 'breaker', delayMs: 0 })
  })
})

describe('the delay of a retry', () => {
  test('is the backoff, or the Retry-After when that is longer, and at most a day', () => {
    const delayOf = (after: string, attempt: number) =>
      verdictOf(reply(500, { 'retry-after': after }), { context: { attempt } })
    expect(delayOf('1', 1)).toMatchObject({ kind: 'later', delayMs: 1000 })
    expect(delayOf('1', 5)).toMatchObject({ kind: 'later', delayMs: 3999 })
    expect(delayOf('99999999999999999999', 1)).toMatchObject({ kind: 'later', delayMs: 86_400_000 })
  })
})

describe('the end of retries', () => {
  test('the last attempt goes to Trash with the failure as it was', () => {
    expect(verdictOf(reply(500), { context: { attempt: 9 } })).toMatchObject({ kind: 'later' })
    expect(verdictOf(reply(500), { context: { attempt: 10 } })).toMatchObject({ kind: 'trash', status: 500 })
    const lost = { kind: 'trash', status: null, problem: { type: 'urn:sluice:connection-lost' } }
    expect(verdictOf({ kind: 'lost' }, { context: { attempt: 10 } })).toMatchObject(lost)
  })

  test('a message on which the connection was lost again and again is said to crash the worker, and how often', () => {
    const verdict = verdictOf({ kind: 'lost' }, { context: { attempt: 10, lostInARow: 9 } })
    expect(verdict).toMatchObject({ kind: 'trash', problem: { type: 'urn:sluice:worker-crash' } })
    expect(verdict).toMatchObject({ problem: { title: expect.stringContaining('10 times') as string } })
    const before = verdictOf({ kind: 'lost' }, { context: { attempt: 9, lostInARow: 8 } })
    expect(before).toMatchObject({ kind: 'later', failure: { problem: { type: 'urn:sluice:connection-lost' } } })
  })

  test('what was no whole HTTP reply is not said to be a crash, however often it came', () => {
    const verdict = verdictOf(
      { kind: 'bad-reply', detail: 'Expected HTTP/' },
      { context: { attempt: 10, lostInARow: 9 } },
    )
    const detail = 'Not tried again: attempt 10 of 10 (retry.attempts) was the last. Expected HTTP/'
    expect(verdict).toMatchObject({ kind: 'trash', problem: { type: 'urn:sluice:bad-reply', detail } })
  })

  test.each([
    ['attempts', withRetry({ attempts: 3 }), { attempt: 3 }, 'attempt 3 of 3 (retry.attempts)'],
    ['maxAgeMs', withRetry({ maxAgeMs: 1 }), {}, 'older than 1 ms (retry.maxAgeMs)'],
    ['inPlaceMaxMs', { node: { ...ordered, inPlaceMaxMs: 1000 } }, { inPlaceMs: 1000 }, 'for 1000 ms (inPlaceMaxMs)'],
  ])('the detail says that %s ended the tries, before what the worker said', (_, around, context, why) => {
    const said = Buffer.from('y'.repeat(10_000))
    const own = { ...reply(500, { 'content-type': 'text/plain' }), body: said }
    const verdict = verdictOf(own, {
      ...around,
      context: { ...('context' in around ? around.context : {}), ...context },
    })
    const detail = expect.stringMatching(/^Not tried again: .*\. y+$/) as string
    expect(verdict).toMatchObject({ kind: 'trash', problem: { title: '500 Internal Server Error', detail } })
    expect((verdict as { problem: { detail: string } }).problem.detail).toContain(why)
  })

  test('a message older than maxAgeMs is not tried again', () => {
    expect(verdictOf(reply(500), withRetry({ maxAgeMs: 60_000 }))).toMatchObject({ kind: 'later' })
    expect(verdictOf(reply(500), withRetry({ maxAgeMs: 59_999 }))).toMatchObject({ kind: 'trash' })
  })
})

describe('an ordered node', () => {
  test('retries in place and burns an attempt', () => {
    const verdict = { kind: 'hold', burns: true, cause: 'retry', delayMs: 249, failure: { status: 500 } }
    expect(verdictOf(reply(500), { node: ordered })).toMatchObject(verdict)
  })

  test('makes its last try when inPlaceMaxMs ends, and none after it', () => {
    const at = (inPlaceMs: number) =>
      verdictOf(reply(500, { 'retry-after': '600' }), {
        node: { ...ordered, inPlaceMaxMs: 10_000 },
        context: { inPlaceMs },
      })
    expect(at(0)).toMatchObject({ kind: 'hold', delayMs: 10_000 })
    expect(at(9_999.5)).toMatchObject({ kind: 'hold', delayMs: 1 })
    expect(at(10_000)).toMatchObject({ kind: 'trash' })
  })

  test('with onFail: block pauses after a final failure; a parallel node goes on', () => {
    expect(verdictOf(reply(400), { node: { ...ordered, onFail: 'block' } })).toMatchObject({
      kind: 'trash',
      block: true,
    })
    expect(verdictOf(reply(400), { node: { prefetch: 2, onFail: 'block' } })).toMatchObject({ block: false })
  })
})

describe('sluice-retry', () => {
  test('0 sends what would be tried again, or waited for, to Trash', () => {
    const headers = { 'sluice-retry': '0', 'retry-after': '1' }
    for (const status of [500, 429, 503]) expect(verdictOf(reply(status, headers))).toMatchObject({ kind: 'trash' })
  })

  test('1 tries again what would go to Trash, while attempts last', () => {
    const headers = { 'sluice-retry': '1' }
    expect(verdictOf(reply(400, headers))).toMatchObject({ kind: 'later' })
    expect(verdictOf(reply(400, headers), withRetry({ on: ['timeout'] }))).toMatchObject({ kind: 'later' })
    expect(verdictOf(reply(400, headers), { context: { attempt: 10 } })).toMatchObject({ kind: 'trash' })
  })

  test('1 leaves a wait a wait', () => {
    expect(verdictOf(reply(429, { 'sluice-retry': '1' }))).toMatchObject({ kind: 'hold', burns: false })
  })
})

describe('a policy with `on`', () => {
  test('retries what it names and nothing else', () => {
    const around = withRetry({ on: ['timeout', 'status:4xx', 'status:502'] })
    const kindOf = (result: CallResult) => verdictOf(result, around).kind
    expect([{ kind: 'timeout' } as const, reply(418), reply(502)].map(kindOf)).toEqual(['later', 'later', 'later'])
    expect([{ kind: 'lost' } as const, reply(500), reply(302)].map(kindOf)).toEqual(['trash', 'trash', 'trash'])
    expect(kindOf({ kind: 'refused' })).toBe('hold')
  })
})

describe('the problem of a failure', () => {
  const problemOf = (result: CallResult) => {
    const verdict = verdictOf(result, { context: { attempt: 10 } })
    if (verdict.kind !== 'trash') throw new Error(verdict.kind)
    return verdict.problem
  }

  test("is the worker's own, without what the engine does not read", () => {
    const own = { type: 'https://shop.test/stock', title: 'Out of stock', status: 409, detail: 'sku 7' }
    expect(problemOf(reply(422, problemJson, JSON.stringify({ ...own, instance: '/7', extra: [1] })))).toEqual(own)
  })

  test('has its texts cut to length', () => {
    const long = 'x'.repeat(10_000)
    const { type, title, detail } = problemOf(
      reply(422, problemJson, JSON.stringify({ type: long, title: long, detail: long })),
    )
    expect([type.length, title.length, detail?.length]).toEqual([256, 256, 4096])
  })

  test.each(['', '[', '7', 'null', '{"type":7,"title":{},"status":"x","detail":[]}'])(
    'is made from the status for %s',
    (body) => {
      expect(problemOf(reply(422, problemJson, body))).toMatchObject({ title: '422 Unprocessable Entity', status: 422 })
    },
  )

  test('shows the start of a readable body', () => {
    expect(problemOf(reply(400, { 'content-type': 'text/plain' }, ' bad sku ')).detail).toBe('bad sku')
    expect(problemOf(reply(400, { 'content-type': 'text/html' }, 'x'.repeat(5000))).detail).toHaveLength(1000)
    expect(problemOf(reply(400, { 'content-type': 'image/png' }, 'x'))).not.toHaveProperty('detail')
  })
})
