import { expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { numbersWorker, openControl, sendLines } from './control.ts'
import type { Control } from './control.ts'

const patient = { timeoutMs: 300_000 }

const ended = (control: Control, run: string) =>
  eventually(
    'the run has ended',
    async () => {
      const found = await control.call('GET', `/api/runs/${run}`)
      return found.state !== 'running' && found
    },
    patient,
  )

test('a rerun during which control is SIGKILLed again and again enters each message once, with exact counters', async () => {
  const count = 5_000
  const { worker, seen } = await numbersWorker()
  const control = await openControl(worker.url, true)
  const first = (await sendLines(control, count, 'k', () => undefined)).runId as string
  expect(await ended(control, first)).toMatchObject({ state: 'finished', messages: { total: count, done: count } })

  const again = async (): Promise<string> =>
    (await control.call('POST', `/api/runs/${first}/rerun`, { node: 'a' }, { 'idempotency-key': 'again' }))
      .runId as string
  const entered = () => [...seen.values()].filter((ids) => ids.size > 1).length
  let kills = 0
  for (const at of [1, 1_500, 3_000]) {
    // Who asks may be cut off; what he asked for is kept, and goes on without him.
    const asking = again().catch(() => null)
    await eventually('it is under way', () => entered() >= at, patient)
    if (entered() < count) kills++
    await control.kill()
    await asking
    await eventually('control serves', () => control.call('GET', '/api/topologies'), patient)
  }
  const second = await again()
  expect(await ended(control, second)).toMatchObject({
    state: 'finished',
    rerunOf: first,
    messages: { total: count, done: count, cancelled: 0 },
  })
  expect(kills).toBeGreaterThan(0)
  expect(seen.size).toBe(count)
  expect([...seen.values()].filter((ids) => ids.size !== 2)).toEqual([])
}, 600_000)
