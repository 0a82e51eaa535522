import { expect, test } from 'vitest'
import { nodeFilter, streamName } from '../../runtime/queue/names.ts'
import { isDrained, startEngine } from '../support/engine.ts'
import type { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { fakeWorker } from '../support/fake-worker.ts'
import { spawnRole } from '../support/role.ts'
import type { Role } from '../support/role.ts'
import { closing } from '../bridge/flow.ts'

function spawnBridge(engine: TestEngine): Role {
  const bridge = spawnRole('bridge', engine.namespace)
  closing.push(bridge)
  return bridge
}

test('a run loses and doubles nothing while its bridge is killed three times', async () => {
  const pages = 6
  const perPage = 100
  const worker = await fakeWorker((request) => {
    if (request.node !== 'list') return request.node === 'store' ? { status: 204 } : { body: request.body }
    const page = Number(request.headers['sluice-page'])
    const cursor: Record<string, string> = page < pages - 1 ? { 'sluice-cursor': String(page + 1) } : {}
    const items = Array.from({ length: perPage }, (_, n) => page * perPage + n)
    return {
      headers: { 'content-type': 'application/json', 'sluice-emit': 'records', ...cursor },
      body: JSON.stringify(items),
    }
  })
  closing.push(worker)
  const engine = await startEngine([
    { name: 'list', type: 'batch' },
    { name: 'enrich', prefetch: 10 },
    { name: 'store', prefetch: 10 },
  ])
  closing.push(engine)
  await engine.setWorker(worker.url)
  await engine.start('{}')

  const stored = (): number => worker.seen.filter(({ node }) => node === 'store').length
  for (const target of [50, 200, 400]) {
    const bridge = spawnBridge(engine)
    await eventually(`${target} records are stored`, () => stored() >= target, { timeoutMs: 20_000 })
    await bridge.end('SIGKILL')
  }
  spawnBridge(engine)
  const outcomes = await engine.outcomesUntil(isDrained)

  expect(outcomes.filter(({ kind }) => kind === 'ended')).toHaveLength(pages * perPage)
  expect(outcomes.filter(({ kind }) => kind === 'trashed')).toHaveLength(0)
  const info = await engine.queues.connection.jsm.streams.info(streamName(engine.plan.topologyId), {
    subjects_filter: nodeFilter(engine.plan.topologyId, engine.id('store')),
  })
  expect(Object.keys(info.state.subjects ?? {})).toHaveLength(pages * perPage)
  expect(new Set(worker.seen.filter(({ node }) => node === 'store').map(({ body }) => body))).toHaveLength(
    pages * perPage,
  )
  // Only what was truly at workers when a bridge died was called again: at most the prefetch of the two nodes, three times, and a page.
  expect(worker.seen.length - (pages + 2 * pages * perPage)).toBeLessThanOrEqual(3 * 21)
}, 120_000)
