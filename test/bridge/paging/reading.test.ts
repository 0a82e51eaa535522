import { expect, test } from 'vitest'
import { readingOf } from '../../../runtime/protocol/reading.ts'
import type { Outcome, PageRead, Trashed } from '../../../runtime/protocol/outcome.ts'
import { isDrained } from '../../support/engine.ts'
import type { TestEngine } from '../../support/engine.ts'
import type { FakeWorker } from '../../support/fake-worker.ts'
import { fast, flow, records } from '../flow.ts'

const watermark = { lookBackMs: 60_000, initial: '2020-01-01T00:00:00Z' }

const asked = ({ seen }: FakeWorker) =>
  seen
    .filter(({ node }) => node === 'list')
    .map(({ headers }) => [
      Number(headers['sluice-page']),
      headers['sluice-cursor'] ?? null,
      headers['sluice-watermark'] ?? null,
    ])

/** What the recorder hears of pages. */
const pagesOf = (outcomes: readonly Outcome[]): PageRead[] =>
  outcomes.flatMap((outcome) => ('batch' in outcome && outcome.batch ? [outcome.batch] : []))

const commit = ({ queues, plan, id }: TestEngine, text: string, epoch = 0): Promise<void> =>
  queues.control.putWatermark(
    { topologyId: plan.topologyId, nodeId: id('list'), tenant: null },
    { watermark: text, epoch },
  )

const replayOf = ({ queues, plan, id }: TestEngine, { trashId, run, message, body }: Trashed): Promise<unknown> =>
  queues.control.replay({ topologyId: plan.topologyId, nodeId: id('list'), trashId, run, message, edited: false, body })

const trashOf = (outcomes: readonly Outcome[]): Trashed[] => outcomes.filter((each) => each.kind === 'trashed')

test('a run is handed what is committed less the look-back, and the same for all pages, whatever is committed meanwhile', async () => {
  const { engine, worker } = await flow([{ name: 'list', type: 'batch', watermark }], async (request) => {
    const page = Number(request.headers['sluice-page'])
    await commit(engine, `2026-03-0${page + 2}T00:00:00Z`)
    return records([], page < 2 ? `c${page + 1}` : undefined)
  })
  await engine.start('1')
  await engine.outcomesUntil(isDrained)
  const run = await engine.start('2')
  const outcomes = await engine.outcomesUntil((all) => isDrained(all) && pagesOf(all).length === 6)
  const first = '2020-01-01T00:00:00Z'
  const second = '2026-03-03T23:59:00Z'
  expect(asked(worker)).toEqual([
    [0, null, first],
    [1, 'c1', first],
    [2, 'c2', first],
    [0, null, second],
    [1, 'c1', second],
    [2, 'c2', second],
  ])
  expect(pagesOf(outcomes).at(-1)).toMatchObject({
    ...{ message: run, page: 2, cursor: 'c2', next: null, commit: 'drained' },
    since: { watermark: second, epoch: 0 },
  })
})

test('what page 0 is tried with stays, in place and over delays', async () => {
  for (const prefetch of [1, 5]) {
    const { engine, worker } = await flow(
      [{ name: 'list', type: 'batch', prefetch, watermark: {}, retry: fast }],
      async (_, nth) => {
        await commit(engine, `${nth}`)
        return nth < 3 ? { status: 502 } : { status: 204 }
      },
    )
    await commit(engine, '0')
    await engine.start('1')
    await engine.outcomesUntil(isDrained)
    expect(asked(worker)).toEqual(Array.from({ length: 3 }, () => [0, null, '0']))
  }
})

test('a page that failed for good is replayed with its cursor and watermark, and no page before it is read again', async () => {
  let broken = true
  const { engine, worker } = await flow(
    [
      { name: 'list', type: 'batch', watermark: {} },
      { name: 'store', prefetch: 5 },
    ],
    (request) => {
      if (request.node === 'store') return { status: 204 }
      const page = Number(request.headers['sluice-page'])
      return page === 2 && broken ? { status: 422 } : records([page], page < 3 ? `c${page + 1}` : undefined)
    },
  )
  await commit(engine, '7')
  await engine.start('1')
  const [trashed] = trashOf(await engine.outcomesUntil(isDrained))
  expect(trashed?.message).toMatchObject({ page: 2, cursor: 'c2', since: { watermark: '7', epoch: 0 } })
  expect(trashed?.reading).toEqual({ commit: 'drained' })
  broken = false
  await commit(engine, '9')
  if (trashed) await replayOf(engine, trashed)
  await engine.outcomesUntil((all) => isDrained(all) && all.some(({ kind }) => kind === 'replayed'))
  expect(asked(worker)).toEqual([
    [0, null, '7'],
    [1, 'c1', '7'],
    [2, 'c2', '7'],
    [2, 'c2', '7'],
    [3, 'c3', '7'],
  ])
  const stored = worker.seen.filter(({ node }) => node === 'store').map(({ id }) => id)
  expect(new Set(stored).size).toBe(stored.length)
})

test('a cursor that a person edited is asked for at the next call, once, and the pages after it count on', async () => {
  const { engine, worker } = await flow(
    [
      { name: 'list', type: 'batch', retry: fast },
      { name: 'store', prefetch: 5 },
    ],
    async (request, nth) => {
      if (request.node === 'store') return { status: 204 }
      const cursor = String(request.headers['sluice-cursor'] ?? '0')
      if (cursor !== '2' || nth > 4) return records([cursor], cursor === '5' ? undefined : String(Number(cursor) + 1))
      const { topologyId } = engine.plan
      await engine.queues.control.putEdit(topologyId, readingOf(engine.id('list'), request.id), {
        edit: 1,
        cursor: '1',
      })
      return { status: 502, afterMs: 100 }
    },
  )
  await engine.start('1')
  const outcomes = await engine.outcomesUntil(isDrained)
  expect(asked(worker).map(([page, cursor]) => [page, cursor])).toEqual([
    ...[0, 1, 2].map((page) => [page, page === 0 ? null : String(page)]),
    ...[2, 3, 4, 5, 6].map((page) => [page, String(page - 1)]),
  ])
  expect(pagesOf(outcomes).map(({ page, cursor, edit }) => [page, cursor, edit])).toEqual([
    [0, null, 0],
    [1, '1', 0],
    ...[2, 3, 4, 5, 6].map((page) => [page, String(page - 1), 1]),
  ])
  const stored = worker.seen.filter(({ node }) => node === 'store').map(({ id }) => id)
  expect([stored.length, new Set(stored).size]).toEqual([7, 7])
})

test('a run that reads everything again is handed no watermark, be it said by its start or by its node', async () => {
  const { engine, worker } = await flow(
    [
      { name: 'accounts', type: 'batch' },
      { name: 'list', type: 'batch', watermark: { initial: '5' } },
    ],
    (request) =>
      request.node === 'accounts' ? records([1, 2]) : { status: 204, headers: { 'sluice-watermark': '9' } },
  )
  await commit(engine, '7', 3)
  const { topologyId } = engine.plan
  const message = { tenant: null, contentType: 'text/plain', headers: {}, trace: null, body: Buffer.from('') }
  const place = { topologyId, nodeId: engine.id('start'), key: 'k', run: 'all' }
  await engine.queues.control.start({ ...place, ...message, reconcile: true })
  const outcomes = await engine.outcomesUntil((all) => isDrained(all) && pagesOf(all).length === 3)
  expect(asked(worker).map(([, , handed]) => handed)).toEqual([null, null])
  expect(pagesOf(outcomes).slice(-1)).toMatchObject([
    { watermark: '9', reconcile: true, since: { watermark: null, epoch: 3 } },
  ])
})

test('empty pages with a cursor go on, and the last one that is empty still proposes', async () => {
  const { engine } = await flow([{ name: 'list', type: 'batch', watermark: { commit: 'clean' } }], (request) => {
    const page = Number(request.headers['sluice-page'])
    if (page === 3) return { status: 204, headers: { 'sluice-watermark': '3', 'sluice-progress': 'done' } }
    return { status: 204, headers: { 'sluice-cursor': `c${page + 1}` } }
  })
  await engine.start('1')
  const pages = pagesOf(await engine.outcomesUntil(isDrained))
  expect(pages.map(({ page, next }) => [page, next])).toEqual([
    [0, 'c1'],
    [1, 'c2'],
    [2, 'c3'],
    [3, null],
  ])
  expect(pages.at(-1)).toMatchObject({ watermark: '3', progress: 'done', commit: 'clean' })
})

test('a source that answers with the same cursors for ever, or with more pages than maxPages, ends in Trash with the reason', async () => {
  const { engine } = await flow([{ name: 'list', type: 'batch', maxPages: 6 }], (request) => {
    const page = Number(request.headers['sluice-page'])
    const next: Record<string, string> = { same: 'c', round: page % 2 === 0 ? 'a' : 'b' }
    return records([], next[request.body] ?? `c${page + 1}`)
  })
  await engine.start('same')
  await engine.start('round')
  await engine.start('more')
  const outcomes = await engine.outcomesUntil((all) => isDrained(all) && trashOf(all).length === 3)
  const failed = trashOf(outcomes).map(({ message, error }) => [message.page, message.cursor, error.type])
  expect(failed).toEqual([
    [1, 'c', 'urn:sluice:cursor'],
    [3, 'a', 'urn:sluice:cursor'],
    [5, 'c5', 'urn:sluice:too-many-pages'],
  ])
})
