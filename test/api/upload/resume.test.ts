import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { Unavailable } from '../../../runtime/errors.ts'
import { streamName } from '../../../runtime/queue/names.ts'
import type { Intake } from '../../../runtime/protocol/intake.ts'
import { openIntakes } from '../../../runtime/recorder/intakes.ts'
import type { IntakeTimes } from '../../../runtime/recorder/intakes.ts'
import { noteSender } from '../../../runtime/store/queries/starts/receiving.ts'
import { silentLog } from '../../../runtime/telemetry/log.ts'
import { eventually } from '../../support/eventually.ts'
import type { Body, TestApi } from '../open.ts'
import { breakingOff, lines, recording, runWhen, sendRecords } from './send.ts'

const intakeOf = (run: Body): Intake | undefined => (run as Body & { intake?: Intake }).intake

/** The only run, when its intake is so far. */
async function onlyRun(t: TestApi, isSo: (intake: Intake) => boolean): Promise<Body> {
  const { id } = await eventually('the run is listed', async () => (await t.get('/api/runs')).body.items[0] ?? false)
  return runWhen(t, id, (run) => isSo(intakeOf(run) as Intake))
}

/** First and last number of each chunk that is stored, in order. */
async function chunks(t: TestApi & { topologyId: string }): Promise<string[]> {
  const stream = streamName(t.topologyId)
  const { state } = await t.queues.connection.jsm.streams.info(stream)
  const found: string[] = []
  for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
    const message = await t.queues.connection.jsm.streams.getMessage(stream, { seq })
    if (!message?.subject.includes('.event.')) continue
    const records = message.json<{ n: number }[]>()
    found.push(`${records[0]?.n}-${records.at(-1)?.n}`)
  }
  return found
}

const broken = (t: TestApi, ...pieces: string[]) => sendRecords(t, breakingOff(...pieces), { key: 'k' })
const whole = (t: TestApi, body: string) => sendRecords(t, body, { key: 'k' })

test('a body that broke off is taken up by the same key where it was, and its run is open until its end has come', async () => {
  const t = await recording()
  await broken(t, lines(0, 1_500), lines(1_500, 2_500))
  const open = await onlyRun(t, ({ records }) => records === 2_000)
  expect(open).toMatchObject({ state: 'running', intake: { state: 'receiving', resumable: true, records: 2_000 } })
  await broken(t, lines(0, 2_500))
  expect(await chunks(t)).toEqual(['0-999', '1000-1999'])

  const { status, body } = await whole(t, lines(0, 2_700))
  expect([status, body]).toEqual([202, { runId: open.id, records: 2_700, trashed: 0 }])
  expect(await chunks(t)).toEqual(['0-999', '1000-1999', '2000-2699'])
  await onlyRun(t, ({ state }) => state === 'complete')
  expect((await whole(t, lines(0, 2_700))).body).toEqual(body)
  expect(await chunks(t)).toHaveLength(3)
})

test('several that send the same at once store it once', async () => {
  const t = await recording()
  const answers = await Promise.all([1, 2, 3].map(() => whole(t, lines(0, 4_200))))
  expect(new Set(answers.map(({ status, body }) => `${status} ${JSON.stringify(body)}`)).size).toBe(1)
  expect(await chunks(t)).toHaveLength(5)
})

test('what the queue has forgotten, the run knows: a key stands for one run, and one body, for as long as the run is kept', async () => {
  const t = await recording()
  await broken(t, lines(0, 2_100))
  const open = await onlyRun(t, ({ records }) => records === 2_000)
  await t.queues.connection.jsm.streams.purge(streamName(t.topologyId))
  expect((await whole(t, `${lines(0, 999)}{"n":"other"}\n${lines(1_000, 2_100)}`)).status).toBe(409)
  expect((await whole(t, lines(0, 2_500))).body).toMatchObject({ runId: open.id, records: 2_500 })
  expect(await chunks(t)).toEqual(['2000-2499'])
  await onlyRun(t, ({ state }) => state === 'complete')
  await t.queues.connection.jsm.streams.purge(streamName(t.topologyId))
  expect((await whole(t, lines(0, 2_500))).body).toMatchObject({ runId: open.id, records: 2_500 })
  expect((await whole(t, lines(0, 2_501))).status).toBe(409)
  const plain = () => t.send('POST', '/start/orders/start', { raw: '1', headers: { 'idempotency-key': 'plain' } })
  const { runId } = (await plain()).body
  await runWhen(t, runId, () => true)
  await t.queues.connection.jsm.streams.purge(streamName(t.topologyId))
  expect((await plain()).body.runId).toBe(runId)
  expect(await chunks(t)).toEqual([])
})

test('the same key with another body is a 409 that says from where on it is another, and changes nothing', async () => {
  const t = await recording()
  await whole(t, lines(0, 1_500))
  for (const other of [lines(1, 1_500), lines(0, 1_499), lines(0, 1_501), lines(0, 900), lines(0, 5_000)]) {
    const { status, body } = await whole(t, other)
    expect([status, body.detail]).toEqual([409, expect.stringContaining('use another Idempotency-Key') as string])
  }
  expect((await whole(t, lines(1, 1_500))).body.detail).toMatch(/another body: they differ from chunk 0 on/)
  expect(await chunks(t)).toHaveLength(2)
  const single = await t.send('POST', '/start/orders/start', { raw: '1', headers: { 'idempotency-key': 'k' } })
  expect(single.status).toBe(202)
  await t.post('/api/topologies/orders/run', { key: 'single' })
  const answer = await sendRecords(t, '1\n', { key: 'single' })
  expect([answer.status, answer.body.detail]).toEqual([
    409,
    expect.stringMatching(/was accepted as one message/) as string,
  ])
})

test('what broke off without a key ends there: nobody can go on', async () => {
  const t = await recording()
  await sendRecords(t, breakingOff(lines(0, 1_500)))
  const run = await onlyRun(t, ({ state }) => state === 'broken')
  expect(run).toMatchObject({ intake: { records: 1_000, resumable: false }, messages: { total: 1, inProgress: 1 } })
  expect(intakeOf(run)?.error).toMatch(/without an Idempotency-Key nobody can go on/)
})

test('a run of which more could come can be cancelled, and then nothing more comes', async () => {
  const t = await recording()
  await broken(t, lines(0, 1_500))
  const open = await onlyRun(t, ({ records }) => records === 1_000)
  expect((await t.post(`/api/runs/${open.id}/cancel`)).status).toBe(202)
  await onlyRun(t, ({ state }) => state === 'cancelled')
  const { status, body } = await whole(t, lines(0, 1_500))
  expect([status, body.detail]).toEqual([409, expect.stringMatching(/was cancelled/) as string])
  expect((await t.get(`/api/runs/${open.id}`)).body.messages).toMatchObject({ cancelled: 1, inProgress: 1 })
})

test('what is gone on with keeps the tenant, the headers and the purpose of its beginning', async () => {
  const t = await recording()
  const first = { key: 'k', query: '&tenant=ann&reconcile=true', headers: { 'x-shop': 'brno' } }
  await sendRecords(t, breakingOff(lines(0, 1_100)), first)
  await whole(t, lines(0, 1_100))
  const message = await t.queues.connection.jsm.streams.getMessage(streamName(t.topologyId), { seq: 3 })
  expect(JSON.parse(message?.header.get('Sluice') ?? '')).toMatchObject({
    tenant: 'ann',
    reconcile: true,
    headers: { 'x-shop': 'brno' },
  })
})

/** What is stored next by this method is confirmed to nobody, and forgotten by the queue when it is recorded: by then ten minutes are over. */
function loseConfirmation(
  t: TestApi & { topologyId: string },
  name: 'put' | 'close',
  isRecorded: (intake: Intake) => boolean,
): void {
  const uploads = t.queues.control.uploads as {
    -readonly [K in 'put' | 'close']: (...args: never[]) => Promise<unknown>
  }
  const real = uploads[name]
  uploads[name] = async (...args) => {
    uploads[name] = real
    await real(...args)
    await onlyRun(t, (intake) => isRecorded(intake))
    await t.queues.connection.jsm.streams.purge(streamName(t.topologyId))
    throw new Unavailable('nats', 'the confirmation was lost')
  }
}

test('a chunk whose confirmation was lost is stored once, also without a key and however long its sender is held back', async () => {
  const t = await recording()
  loseConfirmation(t, 'put', ({ records }) => records === 1_000)
  const { status, body } = await sendRecords(t, lines(0, 2_000))
  expect([status, body]).toEqual([202, { runId: body.runId, records: 2_000, trashed: 0 }])
  const run = await onlyRun(t, ({ state }) => state === 'complete')
  expect(run.messages).toMatchObject({ total: 2, inProgress: 2 })
  expect(await chunks(t)).toEqual(['1000-1999'])
})

test('no more bodies come in at once than may, and whoever is refused is let in when one has ended', async () => {
  const t = await recording({ maxUploads: 2 })
  const senders: ReadableStreamDefaultController<Uint8Array>[] = []
  let read = 0
  const open = () => {
    const start = (sender: ReadableStreamDefaultController<Uint8Array>) => void senders.push(sender)
    return sendRecords(t, new ReadableStream<Uint8Array>({ start, pull: () => void read++ }, { highWaterMark: 0 }))
  }
  const both = [open(), open()]
  await eventually('both are read', () => read === 2)
  const refused = await eventually('both are let in', async () => {
    const third = await sendRecords(t, lines(0, 3))
    return third.status !== 202 && third
  })
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '5'])
  expect(refused.body.detail).toMatch(/splits 2 bodies into records already, of at most 2 .*SLUICE_MAX_UPLOADS/)
  expect((await t.post('/api/topologies/orders/run')).status).toBe(202)
  senders[0]?.close()
  await both[0]
  expect((await sendRecords(t, lines(0, 3))).status).toBe(202)
  senders[1]?.error(new Error('the client died'))
  await both[1]
  expect((await Promise.all([1, 2].map(() => sendRecords(t, lines(0, 3))))).map(({ status }) => status)).toEqual([
    202, 202,
  ])
})

test('the end of a body whose confirmation was lost is stored once', async () => {
  const t = await recording()
  loseConfirmation(t, 'close', ({ state }) => state === 'complete')
  expect((await sendRecords(t, lines(0, 1_000))).status).toBe(202)
  expect(await onlyRun(t, () => true)).toMatchObject({ messages: { total: 1, inProgress: 1 } })
  expect((await t.queues.connection.jsm.streams.info(streamName(t.topologyId))).state.messages).toBe(0)
})

/** Ends intakes with which nobody goes on. */
const looking = (t: TestApi, times: Partial<IntakeTimes>) =>
  openIntakes(
    { queues: t.queues, store: t.store, log: silentLog },
    { abandonedMs: 60_000, goneMs: 60_000, lookEveryMs: 0, ...times },
  )

test('a body without a key whose control was killed ends as broken when its sender was not seen for an hour, and none whose sender is held back', async () => {
  const t = await recording()
  let sender: ReadableStreamDefaultController<Uint8Array> | null = null
  const raw = new ReadableStream<Uint8Array>({ start: (controller) => void (sender = controller) })
  const answer = sendRecords(t, raw)
  const send = sender as unknown as ReadableStreamDefaultController<Uint8Array>
  send.enqueue(Buffer.from(lines(0, 1_500)))
  const { id } = await onlyRun(t, ({ records }) => records === 1_000)
  const look = looking(t, { goneMs: -60_000 })
  await look([])
  // He gives a sign of life, as he does every few seconds.
  await noteSender(t.store, id)
  await look([])
  expect(await onlyRun(t, () => true)).toMatchObject({ state: 'running', intake: { state: 'receiving' } })
  await look([])
  const run = await onlyRun(t, ({ state }) => state === 'broken')
  expect(intakeOf(run)?.error).toMatch(/not been seen for an hour/)
  expect(run.messages).toMatchObject({ total: 1, inProgress: 1 })
  send.enqueue(Buffer.from(lines(1_500, 2_500)))
  expect((await answer).body.detail).toMatch(/was broken off where nobody can go on/)
})

test('any number of bodies that can not be ended keeps no other from being ended', async () => {
  const t = await recording()
  await broken(t, lines(0, 1_500))
  const { id } = await onlyRun(t, ({ records }) => records === 1_000)
  await t.store.query((db) =>
    db.execute(sql`
      insert into runs (id, topology_id, topology_name, node_id, node_name, start_seen, state, started_at, in_progress, intake)
      select '!' || n, 'gone', 'gone', 'gone', 'gone', true, 'running', now(), 1, intake from runs, generate_series(1, 250) as n`),
  )
  await looking(t, { abandonedMs: -60_000 })([])
  expect(intakeOf(await runWhen(t, id, (run) => intakeOf(run)?.state === 'abandoned'))).toMatchObject({
    records: 1_000,
  })
})

test('what nobody goes on with for three days is given up: its run ends with what had come', async () => {
  const t = await recording()
  await broken(t, lines(0, 1_500))
  await onlyRun(t, ({ records }) => records === 1_000)
  const look = (abandonedMs: number) => looking(t, { abandonedMs })([])
  await look(60_000)
  expect(await onlyRun(t, () => true)).toMatchObject({ intake: { state: 'receiving' } })
  await look(-60_000)
  await onlyRun(t, ({ state }) => state === 'abandoned')
  expect((await whole(t, lines(0, 1_500))).body.detail).toMatch(/nothing came for three days/)
})
