import { expect, onTestFinished, test, vi } from 'vitest'
import { openLimiter } from '../../runtime/limiter/limiter.ts'
import type { Call, Pass, PutOff } from '../../runtime/limiter/limiter.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { memoryCells } from './cells.ts'
import { clocked, serverNow } from './clocked.ts'

const service = 'shop'
const callOf = (who: string): Call => ({
  ...{ nodeId: 'n', service, who, cost: 1, mayLeave: false, timesAway: 0, prefetch: 4, behind: 0 },
})

test('who waits for a permit for minutes counts against the same calls in flight as those who come later', async () => {
  await clocked(async () => {
    const cells = memoryCells()
    const nothing = (): undefined => undefined
    const around = { bridges: () => 1, tell: () => Promise.resolve(), poke: nothing, release: nothing, log: silentLog }
    const limiter = openLimiter({ bridgeId: 'me', cells, now: serverNow, ...around })
    onTestFinished(() => limiter.close())
    const limits = [{ rate: 1, per: 'minute', burst: 1, scope: 'tenant' }] as const
    limiter.setService(service, { name: service, limits, maxInFlight: 1, inFlightScope: 'global' })
    const stay = new AbortController().signal
    const passes: Pass[] = []
    const note = (left: Pass | PutOff): void => void (left.kind === 'pass' && passes.push(left))
    void limiter.wait(callOf('a'), stay).then(note)
    await vi.advanceTimersByTimeAsync(100)
    passes[0]?.end()
    void limiter.wait(callOf('a'), stay).then(note)
    await vi.advanceTimersByTimeAsync(62_000)
    expect(passes).toHaveLength(1)
    // By now nobody else has used what all share for more than a minute.
    void limiter.wait(callOf('b'), stay).then(note)
    await vi.advanceTimersByTimeAsync(500)
    expect(passes).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(passes).toHaveLength(2)
    passes[1]?.end()
    await vi.advanceTimersByTimeAsync(70_000)
    expect(passes).toHaveLength(3)
  })
})
