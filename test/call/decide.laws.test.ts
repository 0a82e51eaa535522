import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decide, type CallResult, type DecideContext, type Verdict } from '../../runtime/call/decide.ts'
import { backoffMs, ceilingMs, isRetried, retryAfterMs } from '../../runtime/call/policy.ts'
import { readOutputs } from '../../runtime/protocol/outputs.ts'
import { retryDefaults } from '../../runtime/topology/plan.ts'
import { bytes } from '../protocol/samples.ts'
import { contextOf, nowMs } from './decide-samples.ts'

const headerNames = [
  'content-type', 'content-encoding', 'retry-after', 'date', 'sluice-emit', 'sluice-route', 'sluice-pass', 'sluice-end', 'sluice-retry',
  'sluice-cursor', 'sluice-watermark', 'sluice-signature', 'sluice-retired', 'ce-partitionkey', 'sluice-tenant', 'x-a', '__proto__',
] // prettier-ignore
const headerValues = [
  '0', '1', '-1', '1e9', 'refused', 'a', 'b, a', 'a,zzz', 'records', 'chunks=2', 'chunks=0', 'gzip', 'application/json',
  'application/problem+json', 'application/cloudevents-batch+json', 'Sun, 06 Nov 1994 08:49:37 GMT', 'Foo, 99', '%ff%', 'é\r\n',
] // prettier-ignore
const headers = fc.dictionary(fc.constantFrom(...headerNames), fc.oneof(fc.constantFrom(...headerValues), fc.string()))
const event = fc.record(
  { data: fc.jsonValue(), data_base64: fc.string(), sluiceroute: fc.constantFrom('a', 'a,b', 'zzz', 7) },
  { requiredKeys: [] },
)
const body = fc.oneof(
  fc.uint8Array(),
  fc.string().map(bytes),
  fc.json().map(bytes),
  fc.array(event).map((events) => bytes(JSON.stringify(events))),
)
const result: fc.Arbitrary<CallResult> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('reply' as const),
      status: fc.integer({ min: 100, max: 999 }),
      headers,
      body,
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('reply' as const),
      status: fc.integer({ min: 200, max: 206 }),
      headers,
      body,
    }),
  },
  fc.constantFrom<CallResult>({ kind: 'timeout' }, { kind: 'lost' }, { kind: 'too-large' }, { kind: 'refused' }),
  fc.string().map((detail) => ({ kind: 'held' as const, detail })),
  fc.string().map((detail) => ({ kind: 'bad-reply' as const, detail })),
)
const context: fc.Arbitrary<DecideContext> = fc
  .record({
    type: fc.constantFrom('connector', 'batch', 'custom'),
    prefetch: fc.constantFrom(1, 5),
    emit: fc.constantFrom({ kind: 'page' } as const, { kind: 'records' } as const, { kind: 'chunks', n: 2 } as const),
    followers: fc.constantFrom([], ['a'], ['a', 'b']),
    attempt: fc.integer({ min: 1, max: 12 }),
    inPlaceMs: fc.double({ min: 0, max: 200_000, noNaN: true }),
    lostInARow: fc.nat(12),
    waits: fc.nat(5000),
    random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    created: fc.constantFrom('2026-01-01T00:00:00.000Z', 'garbage'),
  })
  .map(({ type, prefetch, emit, followers, created, random, ...rest }) =>
    contextOf({
      node: { type, prefetch, emit },
      followers,
      message: { created },
      context: { ...rest, random: () => random },
    }),
  )

const isDelay = (ms: number): boolean => Number.isInteger(ms) && ms >= 0 && ms <= 86_400_000

type Sane = { [K in Verdict['kind']]: (verdict: Extract<Verdict, { kind: K }>, context: DecideContext) => boolean }

/** What `settle` needs to carry a verdict out on its node. */
const sane: Sane = {
  forward: ({ follower }, { node, followers }) =>
    node.type !== 'batch' && followers.size === 1 && [...followers.values()].includes(follower),
  split: (verdict, { followers }) => {
    const ids = new Set(followers.values())
    const goesOn = verdict.messages > 0 || verdict.next !== null
    return goesOn && (verdict.route ?? []).every((id) => ids.has(id)) && splits(verdict, ids.size)
  },
  end: ({ watermark }, { node }) => watermark === null || node.type === 'batch',
  turn: ({ delayMs }) => isDelay(delayMs),
  later: ({ delayMs }, { node }) => isDelay(delayMs) && node.prefetch > 1,
  hold: ({ delayMs, burns, cause }, { node }) =>
    isDelay(delayMs) && (burns ? node.prefetch === 1 : cause === 'breaker' ? delayMs === 0 : delayMs >= 100),
  pause: ({ reason }) => reason !== '',
  trash: ({ problem }) => problem.type !== '' && problem.title !== '',
}

function isSane(verdict: Verdict, context: DecideContext): boolean {
  const law = sane[verdict.kind] as (verdict: Verdict, context: DecideContext) => boolean
  return law(verdict, context)
}

/** What decide calls well formed the splitter can read, and it makes as many messages as decide has counted. */
function splits({ output, emit, route, messages }: Extract<Verdict, { kind: 'split' }>, followers: number): boolean {
  const outputs = readOutputs(output.body, output.contentType, emit)
  if (outputs.kind === 'malformed') return false
  const made = [...outputs].reduce((sum, own) => sum + (own.route ?? route ?? { length: followers }).length, 0)
  return made === messages
}

describe('decide', () => {
  test('gives one sane verdict for whatever a call gives, and never throws', () => {
    const property = fc.property(result, context, (given, around) => isSane(decide(given, around), around))
    fc.assert(property, { numRuns: 2000 })
  })

  test('never burns an attempt for a wait, however long it lasts', () => {
    fc.assert(
      fc.property(context, fc.constantFrom(429, 503), fc.nat(1e6), (around, status, seconds) => {
        const reply = { kind: 'reply', status, headers: { 'retry-after': String(seconds) }, body: bytes('') } as const
        expect(decide(reply, around)).toMatchObject({ kind: 'hold', burns: false })
      }),
    )
  })

  test('never delays a retry beyond the cap, the Retry-After, or what an ordered node may wait in place', () => {
    fc.assert(
      fc.property(context, fc.integer({ min: 1, max: 9 }), fc.nat(200_000), (around, attempt, seconds) => {
        const headers = { 'retry-after': String(seconds) }
        const verdict = decide({ kind: 'reply', status: 500, headers, body: bytes('') }, { ...around, attempt })
        expect(['later', 'hold', 'trash']).toContain(verdict.kind)
        if (verdict.kind !== 'later' && verdict.kind !== 'hold') return
        const { node, inPlaceMs } = around
        const most = Math.max(node.retry.maxMs, Math.min(seconds * 1000, 86_400_000))
        const inPlace = verdict.kind === 'hold' ? Math.ceil(node.inPlaceMaxMs - inPlaceMs) : Infinity
        expect(verdict.delayMs).toBeLessThanOrEqual(Math.min(most, inPlace))
      }),
    )
  })

  test('comes to an end with every message that keeps failing', () => {
    fc.assert(
      fc.property(context, (around) => {
        expect(decide({ kind: 'lost' }, { ...around, attempt: 10 }).kind).toBe('trash')
      }),
    )
  })
})

describe('backoff', () => {
  test('doubles up to the cap when exponential, and stays when fixed', () => {
    const ceilings = [1, 2, 3, 11, 12, 2000].map((failed) => ceilingMs(retryDefaults, failed))
    expect(ceilings).toEqual([250, 500, 1000, 256_000, 300_000, 300_000])
    expect(ceilingMs({ ...retryDefaults, backoff: 'fixed' }, 9)).toBe(250)
  })

  test('is never under zero, never over its cap, and its ceiling never falls', () => {
    const policy = fc.record({
      backoff: fc.constantFrom('fixed' as const, 'exponential' as const),
      baseMs: fc.integer({ min: 1, max: 3_600_000 }),
      maxMs: fc.integer({ min: 1, max: 86_400_000 }),
    })
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    fc.assert(
      fc.property(policy, fc.integer({ min: 1, max: 100 }), random, (given, failed, r) => {
        const whole = { ...retryDefaults, ...given }
        const ms = backoffMs(whole, failed, () => r)
        expect(Number.isInteger(ms) && ms >= 0 && ms <= ceilingMs(whole, failed)).toBe(true)
        expect(ceilingMs(whole, failed)).toBeLessThanOrEqual(whole.maxMs)
        expect(ceilingMs(whole, failed + 1)).toBeGreaterThanOrEqual(ceilingMs(whole, failed))
      }),
    )
  })

  test('is spread over everything from nothing to its ceiling', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (failed, r) => {
          const ms = backoffMs(retryDefaults, failed, () => r)
          expect(ms).toBe(Math.floor(ceilingMs(retryDefaults, failed) * r))
        },
      ),
    )
  })
})

describe('Retry-After', () => {
  test.each<[string, string | undefined, number | null]>([
    ['0', undefined, 0],
    ['1.5', undefined, 1500],
    ['1e3', undefined, null],
    ['-1', undefined, null],
    ['86401', undefined, 86_400_000],
    ['9'.repeat(400), undefined, 86_400_000],
    ['Thu, 01 Jan 2026 00:01:30 GMT', undefined, 30_000],
    ['Thursday, 01-Jan-26 00:01:30 GMT', undefined, 30_000],
    ['Sun, 06 Nov 1994 08:49:37 GMT', undefined, 0],
    ['Fri, 31 Dec 9999 23:59:59 GMT', undefined, 86_400_000],
    ['Thu, 01 Jan 2026 05:00:10 GMT', 'Thu, 01 Jan 2026 05:00:00 GMT', 10_000],
    ['2026-01-01', undefined, null],
    ['tomorrow', undefined, null],
    ['', undefined, null],
  ])('%s with the Date %s', (value, date, expected) => {
    expect(retryAfterMs({ 'retry-after': value, ...(date === undefined ? {} : { date }) }, nowMs)).toBe(expected)
  })
})

describe('a policy tries again', () => {
  test.each<[string[], Parameters<typeof isRetried>[1], boolean]>([
    [['status:502'], { status: 502 }, true],
    [['status:5xx'], { status: 599 }, true],
    [['status:5xx', 'timeout'], { status: 499 }, false],
    [['status:500-504'], { status: 504 }, true],
    [['status:500-504'], { status: 505 }, false],
    [['connection'], 'connection', true],
    [['connection'], 'timeout', false],
    [['any'], { status: 422 }, true],
    [['any'], 'connection', true],
  ])('with %j after %j: %j', (on, kind, expected) => {
    for (const byTable of [true, false]) expect(isRetried(on, kind, byTable)).toBe(expected)
  })

  test('what the table says when it names nothing, or names `default`, beside what else it names', () => {
    for (const byTable of [true, false]) {
      expect(isRetried([], { status: 500 }, byTable)).toBe(byTable)
      expect(isRetried(['default'], { status: 500 }, byTable)).toBe(byTable)
      expect(isRetried(['default', 'status:422'], { status: 422 }, byTable)).toBe(true)
    }
  })
})
