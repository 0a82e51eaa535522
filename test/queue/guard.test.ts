import { afterEach, expect, test } from 'vitest'
import { publishMany } from '../../runtime/queue/publish/batch.ts'
import { openGuard } from '../../runtime/queue/publish/guard.ts'
import type { GuardedPublish } from '../../runtime/queue/publish/guard.ts'
import { laneTail, originOf, streamName } from '../../runtime/queue/names.ts'
import { LostAck } from '../../runtime/queue/publish/publisher.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { startEngine } from '../support/engine.ts'
import type { TestEngine } from '../support/engine.ts'

const closing: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of closing.splice(0).reverse()) await one.close()
})

async function engineWithInput(): Promise<{ engine: TestEngine; sequence: number; publish: GuardedPublish }> {
  const engine = await startEngine([{ name: 'a' }, { name: 'b' }])
  closing.push(engine)
  await engine.start('"input"')
  const publish = {
    topologyId: engine.plan.topologyId,
    origin: originOf('a hop'),
    tail: laneTail(engine.id('b'), 0, 0),
    headers: [],
    body: Buffer.from('1'),
  }
  return { engine, sequence: 1, publish }
}

const never = { valid: () => false, confirm: () => undefined }
const always = { valid: () => true, confirm: () => undefined }
const lastSequence = async (engine: TestEngine): Promise<number> =>
  (await engine.queues.connection.jsm.streams.info(streamName(engine.plan.topologyId))).state.last_seq

test('the second settlement of a hop is refused, whatever its verdict', async () => {
  const { engine, publish } = await engineWithInput()
  expect(await engine.queues.guard.publish(publish, null)).toBe('accepted')
  expect(await engine.queues.guard.publish(publish, null)).toBe('settled')
  expect(await engine.queues.guard.publish({ ...publish, tail: 'trash' }, null)).toBe('settled')
})

test('twenty bridges that settle the same hop at once store one successor', async () => {
  const { engine, publish } = await engineWithInput()
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      engine.queues.guard.publish({ ...publish, tail: n % 2 ? 'ledger' : publish.tail }, null),
    ),
  )
  expect(results.filter((result) => result === 'accepted')).toHaveLength(1)
  expect(await lastSequence(engine)).toBe(2)
})

test('a lost acknowledgement is followed by the same publish again, and one message is stored', async () => {
  const { engine, sequence, publish } = await engineWithInput()
  let lost = 0
  const guard = openGuard(
    engine.queues.connection,
    {
      ...engine.queues.publisher,
      async publish(subject, headers, body) {
        const stored = await engine.queues.publisher.publish(subject, headers, body)
        if (lost++ === 0) throw new LostAck('lost on purpose')
        return stored
      },
    },
    silentLog,
    1,
  )
  expect(await guard.publish(publish, { lease: always, sequence })).toBe('settled')
  expect(await lastSequence(engine)).toBe(2)
})

test('with a void lease and a message that is still there, the hop is settled after asking', async () => {
  const { engine, sequence, publish } = await engineWithInput()
  expect(await engine.queues.guard.publish(publish, { lease: never, sequence })).toBe('accepted')
})

test('messages of a reply are stored in order also when one of them has to go again', async () => {
  const { engine, sequence, publish } = await engineWithInput()
  const { connection, publisher } = engine.queues
  let nth = 0
  const failing = {
    ...publisher,
    publish: (...one: Parameters<typeof publisher.publish>) =>
      nth++ === 3 ? Promise.reject(new LostAck('lost on its way')) : publisher.publish(...one),
  }
  const guard = openGuard(connection, failing, silentLog, 1)
  const all = Array.from({ length: 10 }, (_, n) => ({
    ...publish,
    origin: originOf(`a hop/${n}`),
    body: Buffer.from([n]),
  }))
  await publishMany({ guard, publisher: failing }, all, { lease: always, sequence }, new AbortController().signal)
  const stored = await Promise.all(
    all.map((_, n) => connection.jsm.direct.getMessage(streamName(engine.plan.topologyId), { seq: n + 2 })),
  )
  expect(stored.map((message) => message?.data[0])).toEqual(all.map((_, n) => n))
})

test('a late publisher whose message and successor are compacted publishes nothing', async () => {
  const { engine, sequence, publish } = await engineWithInput()
  await engine.queues.guard.publish(publish, null)
  await engine.start('"another"')
  await engine.queues.connection.jsm.streams.purge(streamName(engine.plan.topologyId), { seq: 3 })
  const before = await lastSequence(engine)
  expect(await engine.queues.guard.publish(publish, { lease: never, sequence })).toBe('settled')
  expect(await lastSequence(engine)).toBe(before)
})

test('asking finds a hop open, settled, and settled when its message is gone', async () => {
  const { engine, sequence, publish } = await engineWithInput()
  const { guard, connection } = engine.queues
  const { topologyId } = engine.plan
  const ask = (origin: string, at: number) => guard.ask(topologyId, origin, { lease: never, sequence: at })
  expect(await ask(publish.origin, sequence)).toBe('open')
  await guard.publish(publish, null)
  expect(await ask(publish.origin, sequence)).toBe('settled')
  await engine.start('"another"')
  await connection.jsm.streams.purge(streamName(topologyId), { seq: 3 })
  expect(await ask(originOf('another hop'), sequence)).toBe('settled')
})

test('a message that the leader of a stream has not reached yet is not gone', async () => {
  const { engine, sequence } = await engineWithInput()
  const { guard } = engine.queues
  const next = { lease: never, sequence: sequence + 1 }
  const asked = guard.ask(engine.plan.topologyId, originOf('a hop of the next one'), next)
  await engine.start('"next"')
  expect(await asked).toBe('open')
})
