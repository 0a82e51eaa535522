import { dataOf } from '../../runtime/client/index.ts'
import { eventually } from '../support/eventually.ts'
import { fakeWorker } from '../support/fake-worker.ts'
import type { Answer, FakeWorker, Seen } from '../support/fake-worker.ts'
import type { TestConsole } from './open.ts'

/** What the node `store` says that it takes. */
const orders = { type: 'object', properties: { zip: { type: 'string', pattern: '^[0-9]{5}$' } } }

export interface Flow {
  readonly id: string
  readonly name: string
  readonly worker: FakeWorker
  /** Starts it with so many messages of these bodies, and waits until they have settled. */
  run(bodies: readonly unknown[]): Promise<string>
}

/** A published topology start → store, of whose worker `script` says what it answers. */
export async function openFlow(
  t: TestConsole,
  name: string,
  script: (request: Seen, nth: number) => Answer | Promise<Answer>,
): Promise<Flow> {
  const store = { name: 'store', type: 'connector', path: '/nodes/store', input: orders }
  const worker = await fakeWorker(script, 0, () => ({
    status: 200,
    body: JSON.stringify({
      protocol: 1,
      worker: name,
      version: '1',
      nodes: [{ name: 'check', type: 'custom', path: '/nodes/check' }, store],
    }),
  }))
  const { engine } = t
  await dataOf(engine.POST('/api/workers', { body: { name, urls: [worker.url], dialect: 'native' } }))
  await dataOf(engine.POST('/api/workers/{name}/refresh', { params: { path: { name } } }))
  const nodes = [
    { name: 'start', type: 'start' as const },
    { name: 'check', type: 'custom' as const, worker: name, prefetch: 10, retry: { attempts: 1 } },
    { name: 'store', type: 'connector' as const, worker: name, prefetch: 10, retry: { attempts: 2, baseMs: 10 } },
  ]
  const edges = [
    { from: 'start', to: 'check' },
    { from: 'check', to: 'store' },
  ]
  const { id } = await dataOf(engine.POST('/api/topologies', { body: { name, nodes, edges } }))
  await dataOf(engine.POST('/api/topologies/{topology}/publish', { params: { path: { topology: id } } }))
  return {
    id,
    name,
    worker,
    async run(bodies) {
      const response = await fetch(`${t.url}/start/${name}/start?split=records`, {
        method: 'POST',
        headers: { authorization: `Bearer ${t.token}`, 'content-type': 'application/x-ndjson' },
        body: bodies.map((body) => JSON.stringify(body)).join('\n'),
      })
      const { runId } = (await response.json()) as { runId: string }
      await eventually('the run has ended', async () => {
        const run = await dataOf(engine.GET('/api/runs/{id}', { params: { path: { id: runId } } }))
        if (run.state === 'running' || run.messages.total < bodies.length) throw new Error(`it is ${run.state}`)
      })
      return runId
    },
  }
}
