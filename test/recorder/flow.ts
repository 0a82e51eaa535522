import { onTestFinished } from 'vitest'
import { insertRevision } from '../../runtime/store/queries/revisions.ts'
import { insertTopology, updateTopology } from '../../runtime/store/queries/topologies.ts'
import { openStore } from '../../runtime/store/store.ts'
import type { Store } from '../../runtime/store/store.ts'
import { freshDatabase } from '../support/database.ts'
import { startEngine } from '../support/engine.ts'
import type { TestEngine } from '../support/engine.ts'
import { fakeWorker } from '../support/fake-worker.ts'

/** What a test opened, closed in reverse order when it is over. */
export const closing = {
  push(...opened: readonly { close(): Promise<void> | void }[]): void {
    for (const one of opened) onTestFinished(() => one.close())
  },
}

/** A flow of 20 records of which every fifth is refused, with a store that knows its topology. */
export async function flow(): Promise<{ engine: TestEngine; store: Store; postgresUrl: string }> {
  const worker = await fakeWorker((request) => {
    const body = JSON.stringify(Array.from({ length: 20 }, (_, n) => n))
    if (request.node === 'list')
      return { headers: { 'content-type': 'application/json', 'sluice-emit': 'records' }, body }
    return { status: Number(request.body) % 5 === 0 ? 422 : 204 }
  })
  closing.push(worker)
  const postgresUrl = await freshDatabase()
  const store = openStore(postgresUrl, 4)
  closing.push(store)
  const topology = await insertTopology(store, {
    name: 'flow',
    description: null,
    labels: {},
    document: { name: 'flow', nodes: [], edges: [] },
  })
  const engine = await startEngine(
    [
      { name: 'list', type: 'batch' },
      { name: 'store', prefetch: 5 },
    ],
    undefined,
    topology.id,
  )
  closing.push(engine)
  await insertRevision(store, engine.plan, 'publish')
  await updateTopology(store, topology.id, { revision: 1 })
  await engine.setWorker(worker.url)
  await engine.openBridge()
  return { engine, store, postgresUrl }
}

/** Of each run of it. */
export const counters = { done: 16, failed: 4, discarded: 0, cancelled: 0, inProgress: 0 }
