import { expect, test } from 'vitest'
import { openStack } from '../../runtime/commands/stack.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'

function noting() {
  const closed: string[] = []
  const stack = openStack(silentLog)
  const own = (name: string) =>
    stack.own(
      () => name,
      (part) => closed.push(part),
    )
  return { stack, own, closed }
}

test('what was opened is closed in reverse order, once, however often it is stopped', async () => {
  const { stack, own, closed } = noting()
  for (const name of ['first', 'second', 'third']) await own(name)
  await Promise.all([stack.stop(), stack.stop()])
  await stack.stop()
  expect(closed).toEqual(['third', 'second', 'first'])
})

test('a part that is being opened when closing begins is waited for and closed, and what waits for it hears so', async () => {
  const { stack, own, closed } = noting()
  await own('first')
  const late = stack.own(
    (signal) => new Promise<string>((resolve) => signal.addEventListener('abort', () => resolve('late'))),
    (part) => closed.push(part),
  )
  await Promise.all([stack.stop(), expect(late).rejects.toThrow('is being stopped')])
  expect(closed).toEqual(['late', 'first'])
})

test('a part that does not close keeps no other from closing', async () => {
  const { stack, own, closed } = noting()
  await own('first')
  await stack.own(
    () => null,
    () => Promise.reject(new Error('stuck')),
  )
  await stack.stop()
  expect(closed).toEqual(['first'])
})

test('nothing is opened any more once closing has begun', async () => {
  const { stack, own, closed } = noting()
  await stack.stop()
  await expect(own('too late')).rejects.toThrow('is being stopped')
  expect(closed).toEqual([])
})
