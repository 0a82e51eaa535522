import { eq, sql } from 'drizzle-orm'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Outcome } from '../../runtime/protocol/outcome.ts'
import { applyOutcomes, position } from '../../runtime/store/outcomes.ts'
import { cursors, runs, trash } from '../../runtime/store/schema/index.ts'
import type { Store } from '../../runtime/store/store.ts'
import { migratedStore } from './open.ts'
import { countOneByOne, discarded, ended, pageRead, replayed, split, started, trashed } from './outcome-samples.ts'

const epoch = '2026-03-01T00:00:00Z'

/** Applies outcomes as the recorder does: from the position, to the next one. */
async function record(store: Store, outcomes: readonly Outcome[], topologyId = 't1'): Promise<void> {
  const from = await position(store, topologyId, epoch)
  expect(await applyOutcomes(store, topologyId, { epoch, from, to: from + 1 }, outcomes)).not.toBeNull()
}

async function runOf(store: Store, id: string) {
  const [run] = await store.query((db) => db.select().from(runs).where(eq(runs.id, id)))
  return run
}

test('a run runs until nothing is in progress, then it is finished', async () => {
  const store = await migratedStore()
  await record(store, [started('r'), split('r', 1)])
  expect(await runOf(store, 'r')).toMatchObject({ state: 'running', inProgress: 2, finishedAt: null })
  await record(store, [ended('r'), ended('r', { at: '2026-03-01T10:00:09.123Z' })])
  const finishedAt = new Date('2026-03-01T10:00:09.123Z')
  expect(await runOf(store, 'r')).toMatchObject({ state: 'finished', inProgress: 0, done: 2, finishedAt })
})

test('a run with something in Trash is failed, runs again with a replay, and is finished when it succeeds', async () => {
  const store = await migratedStore()
  await record(store, [started('r'), trashed('r', 'x')])
  expect(await runOf(store, 'r')).toMatchObject({ state: 'failed', failed: 1, inProgress: 0 })
  await record(store, [replayed('r', 'x')])
  expect(await runOf(store, 'r')).toMatchObject({ state: 'running', failed: 0, inProgress: 1, finishedAt: null })
  await record(store, [ended('r')])
  expect(await runOf(store, 'r')).toMatchObject({ state: 'finished', done: 1, failed: 0, inProgress: 0 })
})

test('a discard finishes a failed run and keeps the time at which it drained', async () => {
  const store = await migratedStore()
  await record(store, [started('r'), trashed('r', 'x')])
  await record(store, [{ ...discarded('r', 'x', 'not ours'), at: '2026-03-02T00:00:00.000Z' }])
  const finishedAt = new Date('2026-03-01T10:00:00.000Z')
  expect(await runOf(store, 'r')).toMatchObject({ state: 'finished', discarded: 1, failed: 0, finishedAt })
  const [row] = await store.query((db) => db.select().from(trash))
  expect(row).toMatchObject({ state: 'discarded', reason: 'not ours' })
})

test('I6: what settles a message that is gone settles no other one that was imported under its id since', async () => {
  const store = await migratedStore()
  await record(store, [started('r'), trashed('r', 'x')])
  await store.query((db) => db.delete(trash))
  await record(store, [started('imported'), trashed('imported', 'x')])
  await record(store, [discarded('r', 'x'), discarded('r', 'x')])
  expect(await runOf(store, 'r')).toMatchObject({ state: 'finished', discarded: 1, failed: 0 })
  const rows = () => store.query((db) => db.select().from(trash))
  expect(await rows()).toMatchObject([{ id: 'x', runId: 'imported', state: 'open' }])
  await record(store, [discarded('r', 'x'), discarded('imported', 'x')])
  expect(await runOf(store, 'imported')).toMatchObject({ state: 'finished', discarded: 1, failed: 0 })
  expect(await rows()).toMatchObject([{ state: 'discarded' }])
})

test('a run whose messages were cancelled is cancelled', async () => {
  const store = await migratedStore()
  await record(store, [started('r'), ended('r', { cancelled: true })])
  expect(await runOf(store, 'r')).toMatchObject({ state: 'cancelled', cancelled: 1, done: 0 })
})

test('I6: a start that is seen again counts nothing and changes nothing', async () => {
  const store = await migratedStore()
  await record(store, [started('r', { tenant: 'ann' }), started('r', { tenant: 'bob' })])
  await record(store, [ended('r')])
  await record(store, [started('r', { tenant: 'carl' })])
  expect(await runOf(store, 'r')).toMatchObject({ state: 'finished', tenant: 'ann', inProgress: 0, done: 1 })
})

test('I6: an outcome that is seen before its start is kept, and the start completes the run', async () => {
  const store = await migratedStore()
  await record(store, [ended('r')])
  expect(await runOf(store, 'r')).toMatchObject({ state: 'running', startSeen: false, done: 1, inProgress: -1 })
  await record(store, [started('r', { tenant: 'ann' })])
  expect(await runOf(store, 'r')).toMatchObject({
    state: 'finished',
    nodeId: 'node-start',
    tenant: 'ann',
    inProgress: 0,
  })
})

test('I6: a Trash row is counted once and settled once', async () => {
  const store = await migratedStore()
  await record(store, [started('r'), split('r', 1), trashed('r', 'x'), trashed('r', 'x')])
  await record(store, [trashed('r', 'x'), replayed('r', 'x'), discarded('r', 'x')])
  await record(store, [replayed('r', 'x')])
  expect(await runOf(store, 'r')).toMatchObject({ failed: 0, discarded: 0, inProgress: 2 })
})

test('I6: of two recorders that apply the same outcomes one wins', async () => {
  const store = await migratedStore()
  const from = await position(store, 't1', epoch)
  const outcomes = [started('r'), split('r', 9), trashed('r', 'x')]
  const race = [1, 2, 3, 4].map(() => applyOutcomes(store, 't1', { epoch, from, to: 7 }, outcomes))
  expect((await Promise.all(race)).filter(Boolean)).toHaveLength(1)
  expect(await position(store, 't1', epoch)).toBe(7)
  expect(await runOf(store, 'r')).toMatchObject({ inProgress: 9, failed: 1 })
})

test('a stream that was made anew is read from its beginning, and a recorder of the old one applies nothing', async () => {
  const store = await migratedStore()
  await record(store, [started('r')])
  expect(await position(store, 't1', 'later')).toBe(0)
  expect(await applyOutcomes(store, 't1', { epoch, from: 1, to: 2 }, [ended('r')])).toBeNull()
  expect(await runOf(store, 'r')).toMatchObject({ inProgress: 1 })
})

test('a page that arrives late never replaces the cursor of a newer one', async () => {
  const store = await migratedStore()
  const page = (n: number, next: string | null) =>
    split('r', 1, pageRead({ page: n, cursor: `c${n}`, next, tenant: 'ann' }))
  await record(store, [started('r', { tenant: 'ann' }), page(1, 'c2'), page(0, 'c1')])
  await record(store, [page(0, 'c1')])
  const rows = await store.query((db) => db.select().from(cursors))
  expect(rows).toMatchObject([{ runId: 'r', tenant: 'ann', page: 1, cursor: 'c1', next: 'c2' }])
})

test('bytes, quotes and NULs from a worker stop no recorder', async () => {
  const store = await migratedStore()
  const body = Uint8Array.from({ length: 256 }, (_, i) => i)
  const error = { type: 'x', title: 'a\0b "c", {d}\\ \ud800', detail: 'žluťoučký 🐎' }
  await record(store, [started('r', { body, tenant: '{"a,b"}' }), trashed('r', 'x', { body, error })])
  const [row] = await store.query((db) => db.select().from(trash))
  expect(row?.error).toEqual({ ...error, title: 'a\ufffdb "c", {d}\\ \ufffd' })
  expect(Buffer.from(row?.body ?? []).equals(Buffer.from(body))).toBe(true)
  expect(await runOf(store, 'r')).toMatchObject({ tenant: '{"a,b"}' })
})

/** Histories of a few runs: each starts, splits, and its messages end, fail, are replayed or discarded. */
const steps = fc.array(fc.record({ run: fc.constantFrom('r1', 'r2', 'r3'), kind: fc.nat(5), pick: fc.nat(9) }), {
  maxLength: 60,
})
const history = steps.map((all) => {
  const outcomes: Outcome[] = []
  const runs = new Map<string, { inProgress: number; open: string[] }>()
  for (const { run, kind, pick } of all) {
    if (!runs.has(run)) outcomes.push(started(run))
    const state = runs.get(run) ?? { inProgress: 1, open: [] }
    runs.set(run, state)
    const next = nextOutcome(run, kind, pick, state, `${run}-${outcomes.length}`)
    if (next) outcomes.push(next)
  }
  return outcomes
})

/** An outcome that can follow in the state of a run, or none. */
function nextOutcome(
  run: string,
  kind: number,
  pick: number,
  state: { inProgress: number; open: string[] },
  trashId: string,
): Outcome | null {
  if (kind <= 2) {
    if (state.inProgress === 0) return null
    state.inProgress += kind === 0 ? pick : -1
    if (kind === 0) return split(run, pick)
    if (kind === 1) return ended(run, { cancelled: pick === 0 })
    state.open.push(trashId)
    return trashed(run, trashId)
  }
  const [id] = state.open.splice(pick % Math.max(state.open.length, 1), 1)
  if (id === undefined) return null
  if (kind === 5) return discarded(run, id)
  state.inProgress += 1
  return replayed(run, id)
}

test('I6: counters are exact however a history is cut into batches, repeated and mixed', async () => {
  const store = await migratedStore()
  let round = 0
  await fc.assert(
    fc.asyncProperty(
      history,
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
      fc.boolean(),
      async (all, cuts, turn) => {
        await store.query((db) => db.execute(sql`truncate runs, trash, cursors cascade`))
        const topologyId = `t${round++}`
        for (let at = 0, i = 0, to = 0; at < all.length; i++) {
          const batch = all.slice(at, (at += cuts[i % cuts.length] ?? 1))
          const from = await position(store, topologyId, epoch)
          const move = { epoch, from, to: (to += batch.length) }
          const tries = [1, 2].map(() => applyOutcomes(store, topologyId, move, turn ? batch.toReversed() : batch))
          expect((await Promise.all(tries)).filter(Boolean)).toHaveLength(1)
        }
        const rows = await store.query((db) => db.select().from(runs))
        const expected = countOneByOne(all)
        expect(rows.length).toBe(expected.size)
        for (const row of rows) {
          expect(row).toMatchObject(expected.get(row.id) ?? {})
          const state =
            row.inProgress > 0 ? 'running' : row.failed > 0 ? 'failed' : row.cancelled > 0 ? 'cancelled' : 'finished'
          expect(row.state).toBe(state)
          expect(row.finishedAt === null).toBe(state === 'running')
        }
      },
    ),
    { numRuns: 25 },
  )
})
