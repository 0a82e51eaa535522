import { expect, test } from 'vitest'
import { openCancelled } from '../../runtime/bridge/cancelled.ts'
import { openReading } from '../../runtime/bridge/paging/reading.ts'
import { openHighWater } from '../../runtime/bridge/high-water.ts'
import type { Ports } from '../../runtime/bridge/site.ts'
import { split } from '../../runtime/bridge/split.ts'
import { nodeFilter, streamName } from '../../runtime/queue/names.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { startEngine } from '../support/engine.ts'
import type { TestEngine } from '../support/engine.ts'
import { closing } from './flow.ts'
import { dyingAfter, listSite, storeReply, takeReply } from './replies.ts'

const neverStop = { soon: new AbortController().signal, now: new AbortController().signal }
const records = 3
/** The ledger record, the continuation and the messages. */
const effects = 2 + records

async function stored(): Promise<TestEngine> {
  const engine = await startEngine([{ name: 'list', type: 'batch' }, { name: 'store' }])
  closing.push(engine)
  await storeReply(engine, records)
  return engine
}

/** A bridge that knows, or doesn't know yet, whether the reply's run is cancelled, and dies after so many publishes. */
async function portsOf(engine: TestEngine, { knows = false, dies = Infinity }): Promise<Ports> {
  const { guard, publisher, connection } = engine.queues
  const cancelled = openCancelled(engine.queues)
  cancelled.set(engine.plan.topologyId, 'run', knows)
  if (knows) await engine.queues.control.cancel(engine.plan.topologyId, 'run')
  const dying = { ...guard, publish: dyingAfter(guard.publish, dies) }
  return {
    guard: dying,
    publisher,
    highWater: openHighWater(connection, 10_000),
    cancelled,
    reading: openReading(engine.queues),
    log: silentLog,
  }
}

async function queuedAt(engine: TestEngine, name: string): Promise<number> {
  const filter = nodeFilter(engine.plan.topologyId, engine.id(name))
  const info = await engine.queues.connection.jsm.streams.info(streamName(engine.plan.topologyId), {
    subjects_filter: filter,
  })
  return Object.keys(info.state.subjects ?? {}).length
}

const firstOutcome = async (engine: TestEngine) => (await engine.outcomesUntil((all) => all.length > 0))[0]

test.each(Array.from({ length: effects }, (_, n) => n + 1))(
  'a split that died after %i of its publishes is finished when its run is cancelled meanwhile: its messages are counted',
  async (dies) => {
    const engine = await stored()
    const reply = await takeReply(engine)
    const cut = split(reply, listSite(engine), await portsOf(engine, { dies }), neverStop)
    if (dies < effects) await expect(cut).rejects.toThrow('killed')
    await cut.catch(() => undefined)
    await split(reply, listSite(engine), await portsOf(engine, { knows: true }), neverStop)
    expect(await firstOutcome(engine)).toMatchObject({ kind: 'split', delta: records })
    expect([await queuedAt(engine, 'store'), await queuedAt(engine, 'list')]).toEqual([records, 1])
  },
)

test.each([true, false])(
  'a reply that was ended is not split by another bridge, be it that this knows of the cancel (%s)',
  async (knows) => {
    const engine = await stored()
    const reply = await takeReply(engine)
    await split(reply, listSite(engine), await portsOf(engine, { knows: true }), neverStop)
    await split(reply, listSite(engine), await portsOf(engine, { knows }), neverStop)
    expect(await firstOutcome(engine)).toMatchObject({ kind: 'ended', cancelled: true, run: 'run' })
    expect([await queuedAt(engine, 'store'), await queuedAt(engine, 'list')]).toEqual([0, 0])
  },
)

test('a bridge that still knows of a cancel that is over cancels nothing by it', async () => {
  const engine = await stored()
  const { topologyId } = engine.plan
  const reply = await takeReply(engine)
  const ports = await portsOf(engine, { knows: true })
  await engine.queues.control.endCancel(topologyId, 'run')
  await split(reply, listSite(engine), ports, neverStop)
  expect(await firstOutcome(engine)).toMatchObject({ kind: 'split' })
  expect(await queuedAt(engine, 'store')).toBe(records)
})

test('a replay of a cancelled run is recorded as one, and its message goes to its node, to be cancelled there', async () => {
  const engine = await startEngine([{ name: 'list', type: 'batch' }])
  closing.push(engine)
  const { topologyId } = engine.plan
  const created = new Date().toISOString()
  const none = { cursor: null, tenant: null, key: null, trace: null, headers: {} }
  const message = { id: 'm', from: 'start', created, replay: 0, page: 0, contentType: 'text/plain', ...none }
  const row = { topologyId, nodeId: engine.id('list'), trashId: 'row', run: 'run' }
  await engine.queues.control.replay({ ...row, message, edited: false, body: Buffer.from('x') })
  await split(await takeReply(engine), listSite(engine), await portsOf(engine, { knows: true }), neverStop)
  expect(await firstOutcome(engine)).toMatchObject({ kind: 'replayed', trashId: 'row' })
  expect(await queuedAt(engine, 'list')).toBe(1)
})
