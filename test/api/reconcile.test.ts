import { expect, onTestFinished, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { fakeWorker } from '../support/fake-worker.ts'
import { due, fire, openRecorded, runsUntil } from './firing.ts'
import { nodeOf } from './open.ts'
import type { TestApi } from './open.ts'
import { bridgeOf, ended } from './running.ts'

/** `changes` (start) and `all` (cron, reads everything again) → `list`, which proposes 10, 20, …; answers what it was handed. */
async function delta(): Promise<{ t: TestApi; handed: (string | null)[]; run(): Promise<string> }> {
  const t = await openRecorded()
  const handed: (string | null)[] = []
  const worker = await fakeWorker(({ node, headers }) => {
    if (node !== 'list') return { status: 204 }
    handed.push((headers['sluice-watermark'] as string | undefined) ?? null)
    return { status: 204, headers: { 'sluice-watermark': String(handed.length * 10) } }
  })
  onTestFinished(() => worker.close())
  await t.post('/api/workers', { name: 'w', urls: [worker.url] })
  const nodes = [
    { name: 'changes', type: 'start' },
    { name: 'all', type: 'cron', cron: '0 0 1 1 *', reconcile: true },
    { name: 'list', type: 'batch', worker: 'w', watermark: {} },
  ]
  const edges = ['changes', 'all'].map((from) => ({ from, to: 'list' }))
  await t.post('/api/topologies', { name: 'delta', nodes, edges })
  expect((await t.post('/api/topologies/delta/publish')).status).toBe(200)
  await bridgeOf(t)
  const run = async (): Promise<string> => (await t.post('/api/topologies/delta/run', { node: 'changes' })).body.runId
  return { t, handed, run }
}

async function committed(t: TestApi, run: string): Promise<void> {
  await eventually('it is listed', async () => (await t.get(`/api/runs/${run}`)).status === 200)
  await ended(t, run)
  await eventually('bridges are told', async () => {
    const [row] = (await t.get('/api/watermarks')).body.items as unknown as { pending: boolean; runId: string }[]
    return row?.runId === run && !row.pending
  })
}

test('a cron node with reconcile reads everything again beside the others, and its run commits', async () => {
  const { t, handed, run } = await delta()
  await committed(t, await run())
  await fire(t)
  const { id } = await nodeOf(t, 'delta', 'all')
  await due(t, id, new Date(Math.floor(Date.now() / 1000) * 1000))
  const runs = await runsUntil(t, 'delta', (all) => all.length === 2 && all.every(({ state }) => state === 'finished'))
  await committed(t, runs.find(({ scheduledAt }) => scheduledAt !== null)?.id ?? '')
  await committed(t, await run())
  expect(handed).toEqual([null, null, '20'])
})

test('a run that is made again reads on from what is committed by then, as a whole and from its batch node', async () => {
  const { t, handed, run } = await delta()
  const first = await run()
  await committed(t, first)
  for (const node of [undefined, 'list'])
    await committed(t, (await t.post(`/api/runs/${first}/rerun`, { node })).body.runId)
  expect(handed).toEqual([null, '10', '20'])
})
