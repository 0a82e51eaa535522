import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { serve } from '@sluiceway/worker/node'
import { expect, onTestFinished, test, vi } from 'vitest'
import { openRecorder } from '../../runtime/recorder/recorder.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { parseDocument } from '../../runtime/topology/document.ts'
import { openApi } from '../api/open.ts'
import type { TestApi } from '../api/open.ts'
import { bridgeOf, ended } from '../api/running.ts'
import { openCli } from '../cli/inside.ts'
import { timeline } from '../api/runs/flow.ts'
import { janitorOf } from '../queue/compact.ts'
import { eventually } from '../support/eventually.ts'

const sample = new URL('../../workers/samples/staged/', import.meta.url)
const file = (name: string): string => readFileSync(new URL(name, sample), 'utf8')

/** As the README has it. */
function command(name: string): string[] {
  const line = new RegExp(`^ {4}npm run -s sluice -- (${name} .*)$`, 'm').exec(file('README.md'))
  return line?.[1]?.split(' ') ?? []
}

/** The sample's worker with a folder of its own, and an engine to which its topology was applied. */
async function openSample(): Promise<{ t: TestApi; folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-staged-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  vi.stubEnv('STAGED_FOLDER', folder)
  onTestFinished(() => void vi.unstubAllEnvs())
  const { default: worker } = (await import('../../workers/samples/staged/worker.ts')) as {
    default: Parameters<typeof serve>[0]
  }
  const serving = await serve(worker, { port: 0 })
  onTestFinished(() => serving.close())
  const t = await openApi()
  const recorder = await openRecorder({ ...t, janitor: janitorOf(t), log: silentLog })
  onTestFinished(() => recorder.close())
  await t.post('/api/workers', { name: 'staged', urls: [serving.url] })
  const { document } = parseDocument(file('topology.yaml'), pathToFileURL('topology.yaml').href)
  await t.post('/api/topologies', document)
  expect((await t.post('/api/topologies/staged/publish')).status).toBe(200)
  await bridgeOf(t)
  return { t, folder }
}

test('the sample staged writes every good line, and its bottleneck shows as the queue before one node', async () => {
  const { t, folder } = await openSample()
  const { run } = await openCli(t)
  const sent = await run(...command('run'))
  expect(sent).toMatchObject({ code: 0, stderr: '' })
  const runId = sent.stdout.trim()
  const waiting = async () => {
    const { items } = (await t.get('/api/queues?topology=staged')).body as unknown as {
      items: { node: string; pending: number }[]
    }
    return new Map(items.map(({ node, pending }) => [node, pending]))
  }
  await eventually('messages gather before enrich', async () => {
    const pending = await waiting()
    const others = [...pending].filter(([node]) => node !== 'enrich').map(([, count]) => count)
    return (pending.get('enrich') ?? 0) > 20 && Math.max(...others) < (pending.get('enrich') ?? 0)
  })
  expect((await run(...command('get'))).stdout).toContain('enrich')
  expect(await run(...command('set'))).toMatchObject({ code: 0, stderr: '' })
  await eventually('the run is listed', async () => (await t.get(`/api/runs/${runId}`)).status === 200)
  expect(await ended(t, runId)).toMatchObject({ state: 'failed', messages: { total: 120, done: 118, failed: 2 } })
  expect(readdirSync(folder)).toHaveLength(118)
  expect(JSON.parse(readFileSync(join(folder, 'o-1.json'), 'utf8'))).toEqual({
    ...{ line: 2, id: 'o-1', article: 'A-2', quantity: 2, title: 'Gate', total: 96_000 },
  })
  const { items } = (await t.get('/api/trash')).body as unknown as { items: { error: { title: string } }[] }
  expect(items.map(({ error }) => error.title).toSorted()).toEqual(['Bad quantity', 'Unknown article'])
  const { nodes } = await timeline(t, runId)
  const queued = new Map(nodes.map(({ node, spent }) => [node, (spent as { queuedMs: number }).queuedMs]))
  expect([...queued].toSorted(([, a], [, b]) => b - a)[0]?.[0]).toBe('enrich')
})
