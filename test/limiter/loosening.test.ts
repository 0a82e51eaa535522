import { expect, test } from 'vitest'
import { SharedCell } from '../../runtime/limiter/cell.ts'
import { openLoosening } from '../../runtime/recorder/loosening.ts'
import { watchConfig } from '../../runtime/queue/config.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import type { Limit } from '../../runtime/topology/limits/limits.ts'
import { closing, withoutBridge } from '../bridge/flow.ts'
import type { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'

const service = 'shop'
const slow: Limit = { rate: 2, per: 'day', scope: 'tenant' }

const declare = ({ queues }: TestEngine, limits: readonly Limit[]): Promise<void> =>
  queues.control.putService({ name: service, limits, maxInFlight: null, inFlightScope: 'global' })

/** What each control does of it. */
async function openControl({ queues }: TestEngine): Promise<{ close(): Promise<void> }> {
  const stopping = new AbortController()
  const loosening = openLoosening({ queues, log: silentLog }, stopping.signal)
  await watchConfig({ ...queues, log: silentLog }, loosening.change, stopping.signal)
  const control = {
    async close() {
      stopping.abort()
      await loosening.done
    },
  }
  closing.push(control)
  return control
}

/** Two of 12 messages are called, and ten wait for the day after. */
async function putOff() {
  const { engine, worker } = await withoutBridge([{ name: 'a', service, prefetch: 4 }], () => ({ status: 204 }))
  await declare(engine, [slow])
  await engine.openBridge()
  for (let n = 0; n < 12; n++) await engine.start(String(n), { tenant: n % 2 === 0 ? 'even' : 'odd' })
  const delays = async () =>
    (await engine.queues.control.delays(engine.plan.topologyId)).nodes.get(engine.id('a')) ?? []
  await eventually('the others are put off', async () => (await delays()).length === 8)
  return { engine, worker, delays }
}

const ended = (outcomes: readonly { readonly kind: string }[]): boolean =>
  outcomes.filter(({ kind }) => kind === 'ended').length === 12

test('who was put off by a limit that is raised comes at once, and once, however many controls see to it', async () => {
  const { engine, worker, delays } = await putOff()
  await openControl(engine)
  await openControl(engine)
  await declare(engine, [{ rate: 100, per: 'second', scope: 'tenant' }])
  await engine.outcomesUntil(ended)
  expect(worker.seen).toHaveLength(12)
  expect(await delays()).toEqual([])
})

test('a change that no control has seen to is made good by one that starts, and a raise moves turns no further than it goes', async () => {
  const { engine, worker, delays } = await putOff()
  const before = (await delays()).map(({ at }) => Date.parse(at))
  await declare(engine, [{ rate: 4, per: 'day', scope: 'tenant' }])
  await openControl(engine)
  // Two more of each tenant may be called, and the others wait for the day after as they did.
  await eventually('four more are called', () => worker.seen.length === 8)
  await eventually('the rest waits', async () => (await delays()).length === 4)
  const after = await delays()
  expect(Math.min(...after.map(({ at }) => Date.parse(at)))).toBeGreaterThanOrEqual(Math.min(...before) - 1_000)
  expect(after[0]?.limit).toMatchObject({ service })
})

test('without a limit nobody waits for a turn any more', async () => {
  const { engine, worker } = await putOff()
  await openControl(engine)
  await engine.queues.control.removeService(service)
  await engine.outcomesUntil(ended)
  expect(worker.seen).toHaveLength(12)
})

test('a control that was taken over while it moved turns does not say that they are moved', async () => {
  const { engine } = await putOff()
  const note = new SharedCell<{ limits: unknown; mover?: { id: string; until: number } }>(
    engine.queues.limits.cells,
    `moved.${service}`,
    { limits: null },
  )
  const noted = async () => {
    note.forget()
    return (await note.update((state) => ({ state }))).state
  }
  await declare(engine, [{ rate: 4, per: 'day', scope: 'tenant' }])
  await openControl(engine)
  await eventually('it moves them', async () => (await noted()).mover !== undefined)
  const until = Date.now() + 4_000
  await note.update(() => ({ state: { limits: null, mover: { id: 'another', until } } }))
  await eventually('they are moved', async () => (await noted()).limits !== null)
  expect(Date.now()).toBeGreaterThanOrEqual(until)
})
