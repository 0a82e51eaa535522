import { expect, onTestFinished, test } from 'vitest'
import { Flights } from '../../runtime/limiter/flights/flights.ts'
import { openLimiter } from '../../runtime/limiter/limiter.ts'
import type { Call } from '../../runtime/limiter/limiter.ts'
import { PermitLine } from '../../runtime/limiter/line/line.ts'
import { nextInstant, noPermits, reserve } from '../../runtime/limiter/permits.ts'
import type { PermitState } from '../../runtime/limiter/permits.ts'
import { limitId, tiersOf } from '../../runtime/limiter/rules.ts'
import type { LimitKey } from '../../runtime/queue/limits/told.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import type { Limit, ServiceLimits } from '../../runtime/topology/limits/limits.ts'
import { eventually } from '../support/eventually.ts'
import { memoryCells } from './cells.ts'
import type { MemoryCells } from './cells.ts'

const service = 'shop'
const declared = (limits: readonly Limit[]): ServiceLimits => ({
  ...{ name: service, limits, maxInFlight: null, inFlightScope: 'global' },
})
const keyOf = (who: string): LimitKey => ({ kind: 'service', service, who, isOwn: true })
const start = Date.now()
const hourly: Limit = { rate: 2, per: 'hour', scope: 'tenant' }

const waiting = { turn: 'n', cost: 1, mayLeave: false, timesAway: 0, mustLeave: false }
const stay = new AbortController().signal

function depsOf(cells: MemoryCells, now = () => Date.now()) {
  return { bridgeId: 'me', cells, now, bridges: () => 1, poke: () => undefined, log: silentLog }
}

test('what a bridge uses while it owns up to what it used when NATS was away is owed, too', async () => {
  const cells = memoryCells()
  const line = new PermitLine('k', keyOf('a'), depsOf(cells))
  onTestFinished(() => line.close())
  const tiers = tiersOf(declared([{ rate: 100, per: 'minute', burst: 50 }]), 'global')
  line.setTiers(tiers)
  cells.hold = () => Promise.reject(new Error('away'))
  await line.wait(waiting, stay)
  expect(line.isAway).toBe(true)
  let release = (): void => undefined
  const held = new Promise<void>((resolve) => (release = resolve))
  let isOwning = false
  cells.hold = () => {
    isOwning = true
    return held
  }
  await eventually('it owns up', () => isOwning)
  for (let n = 0; n < 4; n++) await line.wait(waiting, stay)
  release()
  await eventually('it shares the limit again', () => !line.isAway)
  expect(line.isIdle).toBe(true)
  const state = cells.state('k') as PermitState
  const spent = reserve(noPermits, tiers, { now: start, from: start, aheadMs: 0, costs: [1, 1, 1, 1, 1] }).state
  const taken = (of: PermitState): number => nextInstant(of, tiers, start, 50) - start
  expect(taken(state)).toBeGreaterThanOrEqual(taken(spent))
})

test('where no call was open for long, who must leave comes back as soon as calls end elsewhere', async () => {
  let now = start
  const others = { other: { have: 1, want: 1, until: now + 59_000 } }
  const flights = new Flights(
    'k',
    keyOf('a'),
    1,
    depsOf(memoryCells({ k: { holders: others } }), () => now),
  )
  onTestFinished(() => flights.close())
  now += 50_000
  const left = await flights.wait({ ...waiting, mayLeave: true, mustLeave: true }, stay)
  expect(left.kind).toBe('turn')
  expect(left.at - now).toBeLessThan(5_000)
})

const call: Call = { nodeId: 'n', service, who: 'a', cost: 1, mayLeave: false, timesAway: 0, prefetch: 4, behind: 0 }

function limiterOf(cells: MemoryCells, limits: ServiceLimits) {
  const limiter = openLimiter({ ...depsOf(cells), tell: () => Promise.resolve(), release: () => undefined })
  onTestFinished(() => limiter.close())
  limiter.setService(service, limits)
  return limiter
}

test('leave of a service without rates is never void', async () => {
  const limiter = limiterOf(memoryCells(), { ...declared([]), maxInFlight: 2 })
  const pass = await limiter.wait(call, stay)
  expect(pass.kind === 'pass' && pass.mayCall()).toBe(true)
})

test('who gives up between two permits leaves the first one to others', async () => {
  const cells = memoryCells()
  const own = limitId(keyOf('a'))
  const limiter = limiterOf(cells, declared([{ rate: 1, per: 'day' }, hourly]))
  const giving = new AbortController()
  cells.hold = (id) => {
    if (id === own) giving.abort()
    return Promise.resolve()
  }
  await expect(limiter.wait(call, giving.signal)).rejects.toThrow()
  expect(await limiter.wait(call, AbortSignal.timeout(3_000))).toMatchObject({ kind: 'pass' })
})
