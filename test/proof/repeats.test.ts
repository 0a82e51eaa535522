import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { closing, echo } from '../bridge/flow.ts'
import { isDrained, startEngine } from '../support/engine.ts'
import type { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { fakeWorker } from '../support/fake-worker.ts'
import type { FakeWorker } from '../support/fake-worker.ts'
import { startOwnNats } from '../support/own-nats.ts'
import type { OwnNats } from '../support/own-nats.ts'
import { spawnRole } from '../support/role.ts'
import type { Role } from '../support/role.ts'

const patient = { timeoutMs: 60_000 }
const nodes = [{ name: 'a', prefetch: 10 }, { name: 'b', prefetch: 5 }, { name: 'c' }]
/** What all bridges together may have at workers at the same time. */
const prefetchInSum = 10 + 5 + 1
const starts = 600
/** Whole calls that were there before the kill: all nodes are busy then. */
const underWay = 400

interface Loaded {
  readonly engine: TestEngine
  readonly worker: FakeWorker
  readonly nats: OwnNats
  readonly bridges: readonly [Role, Role]
}

/** a → b → c on a NATS of its own, with two bridges in processes of their own, in the middle of their work. */
async function loaded(): Promise<Loaded> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-repeats-'))
  closing.push({ close: () => rmSync(folder, { recursive: true, force: true }) })
  const nats = await startOwnNats(folder, '1GB')
  closing.push(nats)
  const worker = await fakeWorker((request) => ({ ...echo(request), afterMs: 5 }))
  closing.push(worker)
  const engine = await eventually('NATS serves', () => startEngine(nodes, undefined, undefined, nats.url), patient)
  closing.push(engine)
  await engine.setWorker(worker.url)
  const spawn = (): Role => {
    const bridge = spawnRole('bridge', engine.namespace, { SLUICE_NATS_URL: nats.url })
    closing.push(bridge)
    return bridge
  }
  const bridges = [spawn(), spawn()] as const
  await eventually('both bridges live', async () => (await engine.queues.control.bridges()).length === 2, patient)
  for (let n = 0; n < starts; n++) await engine.start(String(n))
  await eventually('all nodes are busy', () => worker.seen.length > underWay && worker.open > 0, patient)
  return { engine, worker, nats, bridges }
}

/** How many calls were made more than once, when everything has ended well. */
async function repeated({ engine, worker }: Loaded): Promise<number> {
  const outcomes = await engine.outcomesUntil(
    (all) => isDrained(all) && all.filter(({ kind }) => kind === 'started').length === starts,
  )
  expect(outcomes.filter(({ kind }) => kind === 'trashed')).toEqual([])
  expect(outcomes.filter(({ kind }) => kind === 'ended')).toHaveLength(starts)
  const calls = new Set(worker.seen.map(({ node, id }) => `${node} ${id}`))
  expect(calls.size).toBe(nodes.length * starts)
  return worker.seen.length - calls.size
}

test('a SIGKILL of one of two bridges under load repeats no more calls than the prefetch of its nodes in sum', async () => {
  const load = await loaded()
  await load.bridges[0].end('SIGKILL')
  expect(load.worker.seen.length).toBeLessThan(nodes.length * starts)
  const count = await repeated(load)
  console.info(`calls repeated by the kill of a bridge: ${count} of at most ${prefetchInSum}`)
  expect(count).toBeLessThanOrEqual(prefetchInSum)
})

test('a SIGKILL of NATS under load repeats no more calls than twice the prefetch of its nodes in sum', async () => {
  const load = await loaded()
  await load.nats.kill()
  await load.nats.restart()
  expect(load.worker.seen.length).toBeLessThan(nodes.length * starts)
  await load.engine.queues.connection.whenConnected()
  const count = await repeated(load)
  console.info(`calls repeated by the kill of NATS: ${count} of at most ${2 * prefetchInSum}`)
  expect(count).toBeLessThanOrEqual(2 * prefetchInSum)
})
