import { readFile } from 'node:fs/promises'
import { serve } from '@sluiceway/worker/node'
import postgres from 'postgres'
import { expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import { openRecorder } from '../../runtime/recorder/recorder.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { startSource } from '../../workers/samples/delta-sync/source.ts'
import type { Source } from '../../workers/samples/delta-sync/source.ts'
import { openArticles } from '../../workers/samples/delta-sync/table.ts'
import { articlesWorker } from '../../workers/samples/delta-sync/worker.ts'
import { openApi } from '../api/open.ts'
import type { TestApi } from '../api/open.ts'
import { bridgeOf, ended } from '../api/running.ts'
import { janitorOf } from '../queue/compact.ts'
import { freshDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'

interface Sample {
  readonly t: TestApi
  readonly source: Source
  /** Starts a run and waits until it has drained and what it proposed is told. */
  run(node: 'changes' | 'all'): Promise<void>
  /** What the target lacks, or has otherwise than the source. */
  differences(): Promise<unknown[]>
}

/** The sample on a whole engine. `onPage` is called before each page that is read. */
async function openSample(onPage: (source: Source, nth: number) => void): Promise<Sample> {
  const t = await openApi()
  const janitor = janitorOf(t, { windowMs: 600_000, leastWindowMs: 600_000 })
  const recorder = await openRecorder({ ...t, janitor, log: silentLog })
  onTestFinished(() => recorder.close())
  const source: Source = await startSource(0, (nth) => onPage(source, nth))
  onTestFinished(() => source.close())
  const postgresUrl = await freshDatabase()
  const articles = await openArticles(postgresUrl)
  onTestFinished(() => articles.close())
  const serving = await serve(articlesWorker({ sourceUrl: source.url, articles, pageSize: 100 }), { port: 0 })
  onTestFinished(() => serving.close(100))
  await t.post('/api/workers', { name: 'articles', urls: [serving.url] })
  const document: unknown = parse(await readFile('workers/samples/delta-sync/topology.yaml', 'utf8'))
  await t.post('/api/topologies', document)
  const published = await t.post('/api/topologies/articles/publish')
  if (published.status !== 200) throw new Error(published.text)
  await bridgeOf(t)
  return {
    t,
    source,
    async run(node) {
      const { runId } = (await t.post('/api/topologies/articles/run', { node })).body
      await eventually('the run is listed', async () => (await t.get(`/api/runs/${runId}`)).status === 200)
      expect((await ended(t, runId)).state).toBe('finished')
      await eventually('bridges are told', async () => {
        const { items } = (await t.get('/api/watermarks?topology=articles')).body
        return items.every((item) => !(item as unknown as { pending: boolean }).pending)
      })
    },
    async differences() {
      const sql = postgres(postgresUrl, { max: 1 })
      const rows = await sql`select id::integer, name, price, updated_at as "updatedAt" from articles`
      await sql.end()
      const stored = new Map(
        rows.map((row) => [row['id'], { ...row, updatedAt: (row['updatedAt'] as Date).toISOString() }]),
      )
      const wrong = source
        .articles()
        .filter((article) => JSON.stringify(stored.get(article.id)) !== JSON.stringify(article))
      return stored.size === source.articles().length ? wrong : [...wrong, `${stored.size} rows`]
    },
  }
}

const at = (second: number): string => new Date(Date.UTC(2026, 2, 1, 10, 0, second)).toISOString()

test('after a full sync each run brings what was changed between and during runs, also at the very instant of the boundary', async () => {
  let during: (source: Source, nth: number) => void = () => undefined
  const { t, source, run, differences } = await openSample((...page) => during(...page))
  const put = (id: number, name: string, second: number) => source.put({ id, name, price: 1 }, at(second))
  for (let id = 1; id <= 450; id++) put(id, 'first', Math.floor(id / 10))
  await run('changes')
  expect([source.asked, await differences()]).toEqual([[null], []])

  // Between runs; one of them at the instant up to which the first run has read.
  for (const id of [3, 200, 451, 452]) put(id, 'second', 50)
  put(453, 'at the boundary', 45)
  // During the run: on a page that was read, and on one that wasn't yet.
  during = (_, nth) => {
    if (nth !== 5) return
    put(451, 'third', 51)
    put(10, 'third', 51)
  }
  await run('changes')
  expect(await differences()).toEqual([])
  put(454, 'at the same instant as the last', 51)
  await run('changes')
  expect(await differences()).toEqual([])

  await run('changes')
  await run('all')
  expect(source.asked).toEqual([null, at(43), at(49), at(49), null])
  expect(await differences()).toEqual([])
  const [watermark] = (await t.get('/api/watermarks?topology=articles&node=list')).body.items
  expect(watermark).toMatchObject({ watermark: at(51) })
})
