import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Breaker } from '../../runtime/call/breaker/breaker.ts'
import type { Probed, Showing } from '../../runtime/call/breaker/breaker.ts'

type Step =
  | { readonly do: 'begin' | 'due' | 'reset' }
  | { readonly do: 'end'; readonly nth: number; readonly kind: Showing['kind']; readonly message: number }
  | { readonly do: 'probed'; readonly kind: Probed['kind'] }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.constant({ do: 'begin' as const }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('end' as const),
      nth: fc.nat(20),
      kind: fc.constantFrom<Showing['kind'][]>('good', 'bad', 'bad', 'bad', 'refused', 'nothing'),
      message: fc.nat(5),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ do: 'due' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('probed' as const),
      kind: fc.constantFrom<Probed['kind'][]>('good', 'absent', 'bad', 'refused'),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'reset' as const }) },
)

/** A breaker with calls that are open, as a random story leaves them; begins only what it admits. */
function play(steps: readonly Step[], asksHealth: boolean, watch: (breaker: Breaker, open: number) => void) {
  const breaker = new Breaker({ asksHealth, random: () => 0.5 })
  let open: number[] = []
  let now = 0
  for (const one of steps) {
    if (one.do === 'begin' && breaker.admits) open.push(breaker.begin())
    if (one.do === 'end') {
      const [epoch] = open.splice(one.nth % Math.max(1, open.length), 1)
      const showing = { kind: one.kind, why: 'x' } as Showing
      if (epoch !== undefined) breaker.end(epoch, showing, `m${one.message}`, now, one.nth % 2 === 0)
    }
    if (one.do === 'due') {
      now = Math.max(now, breaker.dueAt ?? now)
      breaker.due(now, true)
    }
    if (one.do === 'probed') breaker.probed(breaker.epoch, { kind: one.kind, why: 'x' }, now)
    if (one.do === 'reset') breaker.reset()
    watch(breaker, open.filter((epoch) => epoch === breaker.epoch).length)
    open = open.filter((epoch) => epoch <= breaker.epoch)
  }
  return { breaker, now }
}

const story = fc.array(step, { maxLength: 200 })

test('an open breaker admits nothing, a probing one a single call at most, whatever has happened', () => {
  const property = fc.property(story, fc.boolean(), (steps, asksHealth) => {
    play(steps, asksHealth, (breaker, open) => {
      if (breaker.state === 'open' || breaker.asksHealth) expect(breaker.admits).toBe(false)
      if (breaker.state === 'probing') expect(open + (breaker.admits ? 1 : 0)).toBeLessThanOrEqual(1)
      if (breaker.state === 'closed')
        expect([breaker.admits, breaker.reason, breaker.dueAt]).toEqual([true, null, null])
      else expect(breaker.reason).not.toBeNull()
    })
  })
  fc.assert(property, { numRuns: 500 })
})

test('after whatever story, it is closed once calls work, and within 31 seconds a call may be made', () => {
  const property = fc.property(story, fc.boolean(), (steps, asksHealth) => {
    const { breaker, now } = play(steps, asksHealth, () => {})
    // What was open before is never answered: only its time can help.
    let time = now
    for (let i = 0; i < 100 && breaker.state !== 'closed'; i++) {
      if (breaker.dueAt !== null) {
        expect(breaker.dueAt - time).toBeLessThanOrEqual(30_000)
        time = Math.max(time, breaker.dueAt)
        breaker.due(time, false)
      }
      if (breaker.asksHealth) breaker.probed(breaker.epoch, { kind: 'good' }, time)
      if (breaker.admits) breaker.end(breaker.begin(), { kind: 'good' }, 'm', time, false)
      else if (breaker.state === 'probing') return
    }
    expect(breaker.state).toBe('closed')
  })
  fc.assert(property, { numRuns: 500 })
})

test('failures of fewer than three messages never open a closed breaker', () => {
  const results = fc.array(fc.record({ ok: fc.boolean(), message: fc.nat(1) }), { maxLength: 100 })
  const property = fc.property(results, (all) => {
    const breaker = new Breaker({ asksHealth: false, random: () => 0.5 })
    for (const { ok, message } of all) {
      const showing: Showing = ok ? { kind: 'good' } : { kind: 'bad', why: 'x' }
      breaker.end(breaker.begin(), showing, `m${message}`, 0, true)
    }
    expect(breaker.state).toBe('closed')
  })
  fc.assert(property)
})
