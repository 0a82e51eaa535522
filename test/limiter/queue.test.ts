import { expect, test } from 'vitest'
import { Queue } from '../../runtime/limiter/line/queue.ts'

const { signal } = new AbortController()

/** Waits there with a cost of 1; what is told when it has its permit. */
function waits(queue: Queue, turn: string, name: string, given: string[]): void {
  const waiting = { turn, cost: 1, timesAway: 0, mayLeave: false, mustLeave: false }
  void queue.join(waiting, signal).then(() => given.push(name))
}

const give = async (queue: Queue, count: number): Promise<void> => {
  for (let n = 0; n < count; n++) queue.next(1)?.leave({ kind: 'permit', at: n })
  await Promise.resolve()
}

test('nodes that share a key have their turn one after the other, whatever waits before each; within one it is first come, first served', async () => {
  const queue = new Queue()
  const given: string[] = []
  for (let n = 0; n < 1_000; n++) waits(queue, 'busy', `busy ${n}`, given)
  for (let n = 0; n < 3; n++) waits(queue, 'quiet', `quiet ${n}`, given)
  await give(queue, 7)
  expect(given).toEqual(['busy 0', 'quiet 0', 'busy 1', 'quiet 1', 'busy 2', 'quiet 2', 'busy 3'])
  // Who comes later has its turn next, and not after all that wait.
  waits(queue, 'quiet', 'quiet 3', given)
  await give(queue, 2)
  expect(given.slice(7)).toEqual(['busy 4', 'quiet 3'])
})
