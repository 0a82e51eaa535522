import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { openRecorder } from '../../runtime/recorder/recorder.ts'
import { getRun } from '../../runtime/store/queries/runs.ts'
import { insertRevision } from '../../runtime/store/queries/revisions.ts'
import { insertTopology, updateTopology } from '../../runtime/store/queries/topologies.ts'
import { openStore } from '../../runtime/store/store.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { closing, openCuttable } from '../bridge/flow.ts'
import { janitorOf, rangeOf } from '../queue/compact.ts'
import { freshDatabase } from '../support/database.ts'
import { startEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { fakeWorker } from '../support/fake-worker.ts'
import type { Seen } from '../support/fake-worker.ts'
import { startOwnNats } from '../support/own-nats.ts'
import type { OwnNats } from '../support/own-nats.ts'

const callMs = 13_000
const outageMs = 9_000
const bodies = ['0', '1', '2', '3', '4']

async function ownNats(): Promise<OwnNats> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-outage-'))
  closing.push({ close: () => rmSync(folder, { recursive: true, force: true }) })
  const nats = await startOwnNats(folder, '1GB')
  closing.push(nats)
  return nats
}

/** a → b, both ordered, a bridge that can be cut off, a recorder, and a janitor that keeps no history. */
async function flowOn(url: string, workerUrl: string) {
  const store = openStore(await freshDatabase(), 4)
  closing.push(store)
  const document = { name: 'flow', nodes: [], edges: [] }
  const { id } = await insertTopology(store, { name: 'flow', description: null, labels: {}, document })
  const nodes = [{ name: 'a' }, { name: 'b' }]
  const engine = await eventually('NATS serves', () => startEngine(nodes, undefined, id, url))
  closing.push(engine)
  await insertRevision(store, engine.plan, 'publish')
  await updateTopology(store, id, { revision: 1 })
  await engine.setWorker(workerUrl)
  const cuttable = await openCuttable(engine, url)
  const janitor = janitorOf(engine)
  closing.push(await openRecorder({ queues: engine.queues, store, janitor, compactEveryMs: 100, log: silentLog }))
  return { engine, store, ...cuttable }
}

const isTheLateOne = ({ node, body }: Seen): boolean => node === 'a' && body === '0'

test('a call of 13 s on an ordered node across an outage of 9 s settles once, in order, with exact counters, and no history kept', async () => {
  const worker = await fakeWorker(({ node, body }, nth) => {
    if (node === 'b') return { status: 204 }
    // Another answer at each call: which of them was settled shows.
    return { body: `${body}${nth}`, afterMs: body === '0' && nth === 1 ? callMs : 0 }
  })
  closing.push(worker)
  const nats = await ownNats()
  const { engine, store, proxy, mended } = await flowOn(nats.url, worker.url)
  const runs: string[] = []
  for (const body of bodies) runs.push(await engine.start(body))
  await eventually('the call is open', () => worker.open === 1)
  await engine.openBridge()
  await nats.kill()
  proxy.cut()
  await wait(outageMs)
  await nats.restart()
  const isCalledAgain = () => worker.seen.filter(isTheLateOne).length === 2
  await eventually('the other bridge makes the call again', isCalledAgain, { timeoutMs: 20_000 })
  await mended()
  const isOver = async () => {
    const { first, last } = await rangeOf(engine)
    return worker.open === 0 && first > last
  }
  await eventually('all is recorded and compacted, and no call is open', isOver, { timeoutMs: 60_000 })
  for (const run of runs) {
    const counters = { state: 'finished', done: 1, failed: 0, discarded: 0, cancelled: 0, inProgress: 0 }
    expect(await getRun(store, run)).toMatchObject(counters)
  }
  const calls = worker.seen.filter(isTheLateOne).map(({ headers }) => headers['idempotency-key'])
  expect(calls).toEqual([expect.any(String), calls[0]])
  // The answer of the second call, whose bridge settled it; the late one settled nothing.
  expect(worker.seen.filter(({ node }) => node === 'b').map(({ body }) => body)).toEqual(['02', '11', '21', '31', '41'])
}, 120_000)
