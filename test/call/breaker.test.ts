import { describe, expect, test } from 'vitest'
import { Breaker } from '../../runtime/call/breaker/breaker.ts'
import type { Showing } from '../../runtime/call/breaker/breaker.ts'

const good: Showing = { kind: 'good' }
const bad: Showing = { kind: 'bad', why: 'status 500' }
const refused: Showing = { kind: 'refused', why: 'connection refused' }
const nothing: Showing = { kind: 'nothing' }

/** Jitter at its largest; whoever wants to call has to wait. */
function makeBreaker(asksHealth = false) {
  const breaker = new Breaker({ asksHealth, random: () => 1 })
  let now = 0
  return {
    breaker,
    /** Makes one call after the other, each of a message of its own unless one is named. */
    call(...showings: (Showing | readonly [Showing, string])[]): void {
      for (const [index, one] of showings.entries()) {
        const [showing, message] = 'kind' in one ? [one, `m${index}`] : one
        expect(breaker.admits).toBe(true)
        breaker.end(breaker.begin(), showing, message, now, true)
      }
    },
    /** Lets so many calls be begun and answers them all. */
    together(count: number, showing: Showing): void {
      const epochs = Array.from({ length: count }, () => breaker.begin())
      for (const [index, epoch] of epochs.entries()) breaker.end(epoch, showing, `t${index}`, now, true)
    },
    /** How many calls it lets be begun now; at most 99. */
    room(): number {
      const epochs: number[] = []
      while (breaker.admits && epochs.length < 99) epochs.push(breaker.begin())
      for (const epoch of epochs) breaker.end(epoch, nothing, '', now, true)
      return epochs.length
    },
    /** Waits until something is due, and says how long that took. */
    wait(isWanted = true): number {
      const ms = (breaker.dueAt ?? now) - now
      now += ms
      breaker.due(now, isWanted)
      return ms
    },
    probe: (probed: Parameters<Breaker['probed']>[1]) => breaker.probed(breaker.epoch, probed, now),
  }
}

const times = (count: number, showing: Showing): Showing[] => Array.from({ length: count }, () => showing)

describe('a closed breaker', () => {
  test('opens when three quarters of at least six calls fail', () => {
    const { breaker, call } = makeBreaker()
    call(good, bad, bad, bad, bad)
    expect(breaker.state).toBe('closed')
    call([bad, 'another'])
    expect(breaker).toMatchObject({ state: 'open', reason: '5 of the last 6 calls failed; the last: status 500' })
  })

  test('stays closed while fewer fail', () => {
    const { breaker, call } = makeBreaker()
    for (let i = 0; i < 50; i++) call(good, bad, bad, good, bad, bad)
    expect(breaker.state).toBe('closed')
  })

  test('looks at the last twenty calls', () => {
    const { breaker, call } = makeBreaker()
    call(...times(1_000, good), ...times(14, bad))
    expect(breaker.state).toBe('closed')
    call(bad)
    expect(breaker.state).toBe('open')
  })

  test('does not open because of two messages, however often they fail', () => {
    const { breaker, call } = makeBreaker()
    for (let i = 0; i < 100; i++) call([bad, 'a'], [bad, 'b'])
    expect(breaker.state).toBe('closed')
    call([bad, 'c'])
    expect(breaker.state).toBe('open')
  })

  test('takes no notice of what shows nothing', () => {
    const { breaker, call } = makeBreaker()
    call(...times(100, nothing), ...times(5, bad))
    expect(breaker.state).toBe('closed')
  })

  test('opens at the first refused connection', () => {
    const { breaker, call } = makeBreaker()
    call(...times(20, good), refused)
    expect(breaker).toMatchObject({ state: 'open', reason: 'connection refused', admits: false })
  })
})

describe('an open breaker', () => {
  test('lets one call through when its time is over, and opens for twice as long when that fails', () => {
    const { breaker, call, wait, room } = makeBreaker()
    call(...times(6, bad))
    const waits: number[] = []
    for (let i = 0; i < 10; i++) {
      expect(room()).toBe(0)
      waits.push(wait())
      expect([breaker.state, room()]).toEqual(['probing', 1])
      call([bad, `probe ${i}`])
    }
    expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
  })

  test('does not make the others wait longer because the same message failed again', () => {
    const { call, wait } = makeBreaker()
    call(...times(6, bad))
    const waits: number[] = []
    for (let i = 0; i < 5; i++) {
      waits.push(wait())
      call([bad, 'poison'])
    }
    expect(waits).toEqual([250, 500, 500, 500, 500])
  })

  test('does not look at calls that were begun before it opened', () => {
    const { breaker, wait, room } = makeBreaker()
    const early = Array.from({ length: 8 }, () => breaker.begin())
    for (const [index, epoch] of early.slice(0, 7).entries()) breaker.end(epoch, refused, `m${index}`, 0, true)
    expect(wait()).toBe(250)
    breaker.end(early[7] ?? 0, good, 'late', 300, true)
    expect([breaker.state, room()]).toEqual(['probing', 1])
  })

  test('is open for 75 % of its time at least, whatever the jitter', () => {
    const breaker = new Breaker({ asksHealth: false, random: () => 0 })
    breaker.end(breaker.begin(), refused, 'm', 0, false)
    expect(breaker.dueAt).toBe(187.5)
  })
})

describe('an open breaker that asks for health', () => {
  test('lets no call through before it has an answer', () => {
    const { breaker, call, wait, room } = makeBreaker(true)
    call(refused)
    wait()
    expect(breaker).toMatchObject({ state: 'probing', asksHealth: true })
    expect(room()).toBe(0)
  })

  test.each([
    ['good', { kind: 'good' }, bad, 'ramping'],
    ['bad', { kind: 'bad', why: '503' }, bad, 'open'],
    ['no connection', refused, bad, 'open'],
    ['none, and calls had failed: one message shows it', { kind: 'absent' }, bad, 'probing'],
    ['none, and connections had been refused: one was taken now', { kind: 'absent' }, refused, 'ramping'],
  ] as const)('health is %s', (_, probed, cause, state) => {
    const { breaker, call, wait, probe, room } = makeBreaker(true)
    call(...(cause === bad ? times(6, bad) : [cause]))
    wait()
    probe(probed)
    expect([breaker.state, room()]).toEqual([state, state === 'open' ? 0 : 1])
  })

  test('asks at least every 5 seconds an instance that refused connections', () => {
    const { call, wait, probe } = makeBreaker(true)
    call(refused)
    const waits: number[] = []
    for (let i = 0; i < 8; i++) {
      waits.push(wait())
      probe(refused)
    }
    expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 5_000, 5_000, 5_000])
  })

  test('takes no notice of an answer that comes too late', () => {
    const { breaker, call, wait } = makeBreaker(true)
    call(refused)
    wait()
    const asked = breaker.epoch
    breaker.reset()
    breaker.probed(asked, refused, 0)
    expect(breaker.state).toBe('closed')
  })
})

describe('a ramping breaker', () => {
  function ramping() {
    const made = makeBreaker()
    made.call(...times(6, bad))
    made.wait()
    made.call(good)
    return made
  }

  test('lets 1, 2, 4, … calls be open at once, and closes when it held nobody back', () => {
    const { breaker, together, room } = ramping()
    for (const level of [1, 2, 4, 8, 16]) {
      expect([breaker.state, room()]).toEqual(['ramping', level])
      together(level, good)
    }
    const epochs = Array.from({ length: 32 }, () => breaker.begin())
    for (const epoch of epochs) breaker.end(epoch, good, 'm', 0, true)
    expect(breaker).toMatchObject({ state: 'closed', reason: null })
  })

  test('closes after a step when nobody waits', () => {
    const { breaker } = ramping()
    breaker.end(breaker.begin(), good, 'm', 0, false)
    expect(breaker.state).toBe('closed')
  })

  test('goes on after a second while calls take long', () => {
    const { wait, room, breaker } = ramping()
    breaker.begin()
    expect(wait()).toBe(1_000)
    expect(room()).toBe(1)
    wait()
    expect(room()).toBe(3)
  })

  test('goes on when a few calls of a step fail, and opens again when most do', () => {
    const { breaker, call, together } = ramping()
    call(good, bad, good, good, bad, bad, good)
    expect(breaker.state).toBe('ramping')
    together(8, bad)
    expect(breaker.state).toBe('open')
  })

  test('begins anew with 250 ms after it has let something good through', () => {
    const { call, together, wait } = ramping()
    call(good)
    together(2, bad)
    expect(wait()).toBe(250)
    call(good)
    call(bad)
    expect(wait()).toBe(500)
  })
})
