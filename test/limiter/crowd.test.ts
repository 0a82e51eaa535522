import { expect, test } from 'vitest'
import { Crowd } from '../../runtime/limiter/line/crowd.ts'
import type { Crowded } from '../../runtime/limiter/line/crowd.ts'

/** A key of which nothing waits, and how often it was looked at. */
function idle(): Crowded & { looks: number } {
  return {
    looks: 0,
    waitingIn() {
      this.looks++
      return 0
    },
    openIn: () => 0,
    hasNew: () => false,
    isNear: false,
    putOffNewest: () => undefined,
  }
}

test('keys and nodes of which nothing waits any more are let go', () => {
  const crowd = new Crowd()
  const [gone, next] = [idle(), idle()]
  crowd.enter('n', gone, 3, { wasAway: false, mayStay: true })
  crowd.forgetIdle()
  const { looks } = gone
  crowd.enter('n', next, 3, { wasAway: false, mayStay: true })
  expect(gone.looks).toBe(looks)
})
