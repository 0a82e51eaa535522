import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { fakeWorker } from '../../support/fake-worker.ts'
import { openControl, sendLines } from '../control.ts'
import type { Control } from '../control.ts'

const patient = { timeoutMs: 600_000 }

/** A worker that refuses all at first, then takes all; what it took, by number, with the idempotency keys. */
async function openWorker() {
  const state = { isRefusing: true }
  const taken = new Map<number, Set<string>>()
  const worker = await fakeWorker((request) => {
    const { n } = JSON.parse(request.body) as { n: number }
    if (state.isRefusing) return { status: 422 }
    taken.set(n, (taken.get(n) ?? new Set()).add(String(request.headers['idempotency-key'])))
    return { status: 204 }
  })
  onTestFinished(() => worker.close())
  return { state, taken, worker }
}

const messagesOf = (body: Record<string, unknown>) => body.messages as Record<string, number>

async function inTrash(control: Control, count: number): Promise<string> {
  const run = (await sendLines(control, count, 'k', () => undefined)).runId as string
  await eventually(
    'all are in Trash',
    async () => messagesOf(await control.call('GET', `/api/runs/${run}`)).failed === count,
    patient,
  )
  return run
}

test('a bulk replay during which control and bridge are SIGKILLed again and again sends each message once', async () => {
  const count = Number(process.env.SLUICE_PROOF_BULK ?? 1_000)
  const { state, taken, worker } = await openWorker()
  const control = await openControl(worker.url, true)
  const run = await inTrash(control, count)
  state.isRefusing = false
  const made = await control.call('POST', '/api/trash/bulk', { action: 'replay', filter: { topology: 'orders' } })
  const bulk = () => control.call('GET', `/api/trash/bulk/${String(made.id)}`)
  let kills = 0
  for (const at of [1, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9].map((share) => (share === 1 ? 1 : share * count))) {
    await eventually('it is under way', () => taken.size >= at, patient)
    if (taken.size < count) kills++
    await (kills % 2 === 0 ? control.killBridge() : control.kill())
    await eventually('control serves', () => control.call('GET', '/api/topologies'), patient)
  }
  const over = await eventually(
    'the bulk is over',
    async () => {
      const now = await bulk()
      return now.state !== 'running' && now
    },
    patient,
  )
  expect([over.state, over.stoppedBecause, messagesOf(over)]).toEqual([
    'finished',
    null,
    expect.objectContaining({ total: count, done: count, refused: 0, failedAgain: 0 }),
  ])
  expect(kills).toBeGreaterThan(3)
  expect(taken.size).toBe(count)
  // A call that was open when its bridge died is made again with the same key; a replay that was made twice is counted twice.
  expect([...taken.values()].filter((keys) => keys.size !== 1)).toEqual([])
  const ended = await eventually(
    'the run is finished',
    async () => {
      const now = await control.call('GET', `/api/runs/${run}`)
      return now.state === 'finished' && now
    },
    patient,
  )
  expect(messagesOf(ended)).toMatchObject({ total: count, done: count, failed: 0, inProgress: 0 })
}, 900_000)

/** A worker that only counts: what others note of each call would be measured, too. */
async function openCounter() {
  const state = { isRefusing: true, taken: 0 }
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      if (!state.isRefusing) state.taken++
      response.writeHead(state.isRefusing ? 422 : 204).end()
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { state, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

test('a large bulk replays each message once with flat memory, and says how fast', async () => {
  const count = Number(process.env.SLUICE_PROOF_BULK_RATE ?? 10_000)
  const { state, url } = await openCounter()
  const control = await openControl(url, true)
  const filling = performance.now()
  await inTrash(control, count)
  const begun = performance.now()
  state.isRefusing = false
  const ask = { action: 'replay', filter: { topology: 'orders' }, canary: false }
  const made = await control.call('POST', '/api/trash/bulk', ask)
  const madeMs = performance.now() - begun
  const rss: number[] = []
  await eventually(
    'it is over',
    async () => {
      rss.push(control.rssMiB())
      return (await control.call('GET', `/api/trash/bulk/${String(made.id)}`)).state === 'finished'
    },
    patient,
  )
  const rate = (ms: number): string => `${Math.round((count * 1_000) / ms)}/s`
  const [first = 0, most] = [rss[0], Math.max(...rss)]
  console.log(
    `${count} into Trash: ${rate(begun - filling)}; replayed: ${rate(performance.now() - begun)}; set: ${Math.round(madeMs)} ms; control ${first}–${most} MiB`,
  )
  expect(state.taken).toBe(count)
  expect(most - first).toBeLessThan(200)
}, 1_800_000)
