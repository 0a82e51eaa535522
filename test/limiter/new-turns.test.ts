import { expect, test } from 'vitest'
import { noPermits, reserve } from '../../runtime/limiter/permits.ts'
import type { PermitState } from '../../runtime/limiter/permits.ts'
import { limitId, tiersOf } from '../../runtime/limiter/rules.ts'
import { openTurns } from '../../runtime/recorder/turns.ts'
import type { Limit, ServiceLimits } from '../../runtime/topology/limits/limits.ts'
import { memoryCells } from './cells.ts'

const service = 'shop'
const id = limitId({ kind: 'service', service, who: 'a', isOwn: true })
const declared = (limits: readonly Limit[]): ServiceLimits => ({
  ...{ name: service, limits, maxInFlight: null, inFlightScope: 'global' },
})
const start = Date.now()
const hourly: Limit = { rate: 2, per: 'hour', scope: 'tenant' }
const usedOf = (limit: Limit, costs: readonly number[]): PermitState =>
  reserve(noPermits, tiersOf(declared([limit]), limit.scope ?? 'global'), {
    now: start,
    from: start,
    aheadMs: 0,
    costs,
  }).state
const minuteMs = 60_000

test('turns that are drawn up anew go by what was used, as it counts now', async () => {
  const quota: Limit = { rate: 4, per: 'minute', scope: 'tenant' }
  const even: Limit = { ...quota, burst: 1 }
  const nextOf = async (before: Limit, after: Limit): Promise<number> => {
    const cells = memoryCells({ [id]: usedOf(before, [2, 2]) })
    return openTurns({ cells, limited: new Map() }, service, declared([after])).next('a', 2)
  }
  expect((await nextOf(even, quota)) - start).toBeLessThan(1.1 * minuteMs)
  expect((await nextOf(quota, even)) - start).toBeGreaterThan(0.5 * minuteMs)
  const faster: Limit = { rate: 4_000, per: 'minute', burst: 1, scope: 'tenant' }
  expect((await nextOf(even, faster)) - start).toBeLessThan(0.1 * minuteMs)
})

test('tenants more than are known at a time have their turns one after the other all the same', async () => {
  const turns = openTurns({ cells: memoryCells(), limited: new Map() }, service, declared([{ ...hourly, rate: 1 }]))
  const tenants = Array.from({ length: 1_001 }, (_, n) => String(n))
  const first = new Map<string, number>()
  for (const who of tenants) first.set(who, await turns.next(who, 1))
  for (const who of tenants) expect((await turns.next(who, 1)) - (first.get(who) ?? 0)).toBeGreaterThan(3_000_000)
})

test('nobody comes after a line of turns of a limit that is gone', async () => {
  const cells = memoryCells({ [id]: { ...usedOf(hourly, [1]), line: {}, turn: start + 86_400_000 } })
  const turns = openTurns({ cells, limited: new Map() }, service, null)
  expect((await turns.next('a', 1)) - start).toBeLessThan(minuteMs)
  await turns.close()
  expect(cells.state(id)).toEqual({ ...usedOf(hourly, [1]), turn: 0 })
})
