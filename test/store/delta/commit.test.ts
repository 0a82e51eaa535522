import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import type { Outcome, PageRead } from '../../../runtime/protocol/outcome.ts'
import {
  listWatermarks,
  lockWatermark,
  setWatermark,
  watermarkChanges,
} from '../../../runtime/store/delta/watermarks.ts'
import { applyOutcomes, position } from '../../../runtime/store/outcomes.ts'
import { discarded, ended, pageRead, replayed, split, started, trashed } from '../outcome-samples.ts'
import { emptied, openShared } from './shared.ts'

const store = openShared()
const epoch = '2026-03-01T00:00:00Z'

/** As the recorder does; answers how many watermarks are others now. */
async function record(...outcomes: Outcome[]): Promise<number> {
  const from = await position(store, 't', epoch)
  const applied = await applyOutcomes(store, 't', { epoch, from, to: from + 1 }, outcomes)
  return applied?.watermarks.length ?? NaN
}

const since = { watermark: null, epoch: 0 }

/** The last page of a reading, an empty one, which proposes. */
const proposes = (run: string, watermark: string | null, more: Partial<PageRead> = {}): Outcome =>
  ended(run, { batch: pageRead({ message: run, watermark, since, commit: 'drained', ...more }) })

const startOf = (run: string, second: number): Outcome =>
  started(run, { at: `2026-03-01T10:00:${String(second).padStart(2, '0')}.000Z` })

async function committed(): Promise<(string | null)[]> {
  const rows = await listWatermarks(store, {}, 50, null)
  return rows.map(({ watermark }) => watermark)
}

test('what a run proposed is committed in the transaction in which it has drained, and not before', async () => {
  await record(startOf('r', 1), split('r', 2, pageRead({ message: 'r', next: 'c', watermark: '5', since })))
  const last = split('r', 0, pageRead({ message: 'r', page: 1, watermark: '7', since, commit: 'drained' }))
  expect(await record(last, ended('r'))).toBe(0)
  expect(await committed()).toEqual([])
  expect(await record(ended('r'), ended('r'))).toBe(1)
  expect(await committed()).toEqual(['7'])
  const [row] = await listWatermarks(store, {}, 1, null)
  expect(await watermarkChanges(store, row?.id ?? '', 50, null)).toMatchObject([
    { version: 1, deed: 'committed', watermark: '7', runId: 'r', by: null },
  ])
})

test('the last page that proposes wins, also over pages that arrive in one batch', async () => {
  const page = (n: number, watermark: string | null, next: string | null) =>
    split('r', next === null ? -1 : 0, pageRead({ message: 'r', page: n, watermark, next, since, commit: 'drained' }))
  await record(startOf('r', 1), page(0, '5', 'a'), page(1, '6', 'b'), page(2, null, 'c'))
  await record(page(3, null, null))
  expect(await committed()).toEqual(['6'])
})

test('a run with something in Trash commits at once when drained will do, and when Trash is settled where it must be clean', async () => {
  for (const [commit, atOnce] of [
    ['drained', ['7']],
    ['clean', []],
  ] as const) {
    await emptied(store)
    await record(startOf('r', 1), split('r', 1), trashed('r', 'x'), proposes('r', '7', { commit }))
    expect(await committed()).toEqual(atOnce)
    await record(replayed('r', 'x'), ended('r'))
    expect(await committed()).toEqual(['7'])
  }
  await emptied(store)
  await record(startOf('r', 1), split('r', 1), trashed('r', 'x'), proposes('r', '7', { commit: 'clean' }))
  await record(discarded('r', 'x'))
  expect(await committed()).toEqual(['7'])
})

test('a reading whose page lies in Trash commits nothing until that is replayed and the last page is read', async () => {
  const first = pageRead({ message: 'r', watermark: '5', next: 'c', since, commit: 'drained' })
  await record(startOf('r', 1), split('r', 0, first), trashed('r', 'x'))
  expect(await committed()).toEqual([])
  await record(replayed('r', 'x'), proposes('r', null, { page: 1, message: 'r!1' }))
  expect(await committed()).toEqual(['5'])
})

test('a reading whose first page lies in Trash keeps the other reading of its run from committing, until all of it is read', async () => {
  const stopped = trashed('r', 'x', { reading: { commit: 'drained' } })
  await record(startOf('r', 1), split('r', 1), proposes('r', '20', { message: 'r.0' }), stopped)
  expect(await committed()).toEqual([])
  await record(replayed('r', 'x'))
  await record(proposes('r', '10', { message: 'message-x!1' }))
  expect(await committed()).toEqual(['10'])
})

test('a reading whose first page was discarded keeps the other reading of its run from committing', async () => {
  const stopped = trashed('r', 'x', { reading: { commit: 'drained' } })
  await record(startOf('r', 1), split('r', 1), stopped)
  await record(proposes('r', '20', { message: 'r.0' }))
  await record(discarded('r', 'x'))
  expect(await committed()).toEqual([])
})

/** `login` leads to `node-a` (the batch node), and that to `save`. */
async function publishGraph(): Promise<void> {
  const nodes = [['login', 'node-a'], ['node-a', 'save'], ['save']].map(([id = '', ...followers]) => ({
    id,
    followers,
  }))
  const plan = JSON.stringify({ topologyId: 't', revision: 1, nodes })
  await store.query(async (db) => {
    await db.execute(sql`insert into topologies (id, name, document) values ('t', 't', '{}') on conflict do nothing`)
    await db.execute(sql`
      insert into revisions (topology_id, revision, kind, plan) values ('t', 1, 'publish', ${plan}::jsonb) on conflict do nothing`)
  })
}

test('what lies in Trash before a batch node keeps its run from committing, since it is read for later, and not what lies after it, or is another tenant’s', async () => {
  await publishGraph()
  const failedAt = (nodeId: string, run: string, tenant: string | null = null) => {
    const one = trashed(run, run, { nodeId })
    return { ...one, message: { ...one.message, tenant } }
  }
  await record(startOf('a', 1), split('a', 1), proposes('a', '10'), failedAt('save', 'a'))
  expect(await committed()).toEqual(['10'])
  await record(startOf('b', 2), split('b', 1), proposes('b', '20'), failedAt('login', 'b'))
  expect(await committed()).toEqual(['10'])
  await record(discarded('b', 'b'))
  expect(await committed()).toEqual(['20'])
  await record(startOf('c', 3), split('c', 1), proposes('c', '30'), failedAt('login', 'c', 'ann'))
  expect(await committed()).toEqual(['30'])
})

test('a cancelled run, and a node without a watermark, commit nothing', async () => {
  await record(startOf('a', 1), split('a', 1), ended('a', { cancelled: true }), proposes('a', '7'))
  await record(startOf('b', 2), proposes('b', '8', { commit: null }))
  await record(startOf('c', 3), proposes('c', '9', { since: null }))
  expect(await committed()).toEqual([])
})

test('a run that began before the one whose proposal stands commits nothing, in whatever order they drain', async () => {
  await record(startOf('old', 1), startOf('new', 2))
  await record(proposes('new', 'b'))
  await record(proposes('old', 'a'))
  expect(await committed()).toEqual(['b'])
  await record(startOf('newest', 3), proposes('newest', 'a'))
  expect(await committed()).toEqual(['a'])
})

test('times and numbers never go backwards, and the same again is no change', async () => {
  expect(await record(startOf('a', 1), proposes('a', '10'))).toBe(1)
  expect(await record(startOf('b', 2), proposes('b', '9'))).toBe(0)
  expect(await record(startOf('c', 3), proposes('c', '10'))).toBe(0)
  expect(await record(startOf('d', 4), proposes('d', '11'))).toBe(1)
  expect(await committed()).toEqual(['11'])
})

test('of several readings of a run the least proposal counts, and nothing when one of them proposes nothing', async () => {
  const two = (run: string, a: string | null, b: string | null) => [
    split(run, 1),
    proposes(run, a, { message: `${run}.0` }),
    proposes(run, b, { message: `${run}.1` }),
  ]
  await record(startOf('a', 1), ...two('a', '20', '10'))
  expect(await committed()).toEqual(['10'])
  await record(startOf('b', 2), ...two('b', '30', null))
  await record(startOf('c', 3), ...two('c', '30', 'x'))
  expect(await committed()).toEqual(['10'])
})

test('each tenant has a watermark of its own', async () => {
  const of = (tenant: string, watermark: string) => proposes('r', watermark, { message: tenant, tenant })
  await record(startOf('r', 1), split('r', 1), of('ann', '1'), of('bob', '2'))
  const rows = await listWatermarks(store, { tenant: 'ann' }, 50, null)
  expect(rows.map(({ tenant, watermark }) => [tenant, watermark])).toEqual([['ann', '1']])
  expect(await committed()).toHaveLength(2)
})

test('what a run proposes that began before a person set the watermark is not committed', async () => {
  await record(startOf('a', 1), proposes('a', '10'), startOf('b', 2))
  await store.transaction(async (inside) => {
    const row = await lockWatermark(inside, { topologyId: 't', nodeId: 'node-a', tenant: null })
    await setWatermark(inside, row, { watermark: '3', by: 'ann', reason: null }, row.version)
  })
  await record(proposes('b', '20'))
  expect(await committed()).toEqual(['3'])
  await record(startOf('c', 3), proposes('c', '5', { since: { watermark: '3', epoch: 1 } }))
  expect(await committed()).toEqual(['5'])
})
