import { sql } from 'drizzle-orm'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Outcome } from '../../runtime/protocol/outcome.ts'
import { applyOutcomes, position, settleDirectly } from '../../runtime/store/outcomes.ts'
import type { TrashFilter } from '../../runtime/store/trash/filter.ts'
import { trashStates } from '../../runtime/store/schema/index.ts'
import type { Store } from '../../runtime/store/store.ts'
import { openTrash, trashGroups } from '../../runtime/store/trash/groups.ts'
import { migratedStore } from './open.ts'
import { discarded, replayed, trashed } from './outcome-samples.ts'

const epoch = '2026-03-01T00:00:00Z'

/** As two recorders do that are there at once: one of them wins. */
async function record(store: Store, topologyId: string, outcomes: readonly Outcome[]): Promise<void> {
  const from = await position(store, topologyId, epoch)
  const move = { epoch, from, to: from + 1 }
  const tries = await Promise.all([1, 2].map(() => applyOutcomes(store, topologyId, move, outcomes)))
  expect(tries.filter((applied) => applied !== null)).toHaveLength(1)
}

const counted = sql`
  select topology_id, node_id, fingerprint, count(*) filter (where state = 'open') as open,
    count(*) filter (where state = 'replayed') as replayed, count(*) filter (where state = 'discarded') as discarded,
    count(*) as total
  from trash group by 1, 2, 3 order by 1, 2, 3`
const kept = sql`select * from trash_groups order by topology_id, node_id, fingerprint`

async function expectExact(store: Store): Promise<void> {
  const [rows, groups] = await Promise.all([counted, kept].map((query) => store.query((db) => db.execute(query))))
  expect([...(groups ?? [])]).toEqual([...(rows ?? [])])
}

const time = (n: number): string => `2026-03-01T10:00:${String(n % 60).padStart(2, '0')}.000Z`
const topologies = ['t1', 't2', 't3']
const nodes = ['a', 'b']
const nodeIn = (topologyId: string, node: string): string => `${topologyId}-${node}`
const titles = ['Order 17 not found', 'No address', 'Gone']

/** What happens to the n-th message: nothing more, a replay or a discard; some of it more than once. */
const fates = fc.array(
  fc.record({
    topologyId: fc.constantFrom(...topologies),
    nodeId: fc.constantFrom(...nodes),
    title: fc.constantFrom(...titles),
    settled: fc.constantFrom('open', 'replayed', 'discarded', 'replayed again'),
  }),
  { maxLength: 40 },
)

function outcomesOf(
  all: readonly (typeof fates extends fc.Arbitrary<infer T> ? T : never)[number][],
  topologyId: string,
) {
  return all.flatMap((fate, n): Outcome[] => {
    if (fate.topologyId !== topologyId) return []
    const { title, settled } = fate
    const nodeId = nodeIn(topologyId, fate.nodeId)
    const id = `${topologyId}-${n}`
    const failed = trashed(topologyId, id, { nodeId, at: time(n), error: { type: 'about:blank', title, status: 422 } })
    if (settled === 'open') return [failed]
    if (settled === 'discarded') return [failed, discarded(topologyId, id)]
    return settled === 'replayed'
      ? [failed, replayed(topologyId, id)]
      : [failed, failed, replayed(topologyId, id), replayed(topologyId, id)]
  })
}

test('groups are what their rows say, after any outcomes in any batches, applied twice and by several recorders at once', async () => {
  const store = await migratedStore()
  await fc.assert(
    fc.asyncProperty(fates, fc.integer({ min: 1, max: 9 }), async (all, size) => {
      await store.query((db) => db.execute(sql`truncate runs, trash, recorder_positions cascade`))
      await expectExact(store)
      const work = topologies.map(async (topologyId) => {
        const outcomes = outcomesOf(all, topologyId)
        for (let at = 0; at < outcomes.length; at += size)
          await record(store, topologyId, outcomes.slice(at, at + size))
      })
      await Promise.all(work)
      await expectExact(store)
      await store.query((db) => db.execute(sql`delete from trash where state <> 'open'`))
      await expectExact(store)
    }),
    { numRuns: 10 },
  )
})

test('a group is gone when its last row is, and an error leaves groups as they were', async () => {
  const store = await migratedStore()
  await record(store, 't1', [trashed('r', 'x'), trashed('r', 'y')])
  const half = store.transaction(async (inside) => {
    await inside.query((db) => db.execute(sql`update trash set state = 'discarded'`))
    throw new Error('half way')
  })
  await expect(half).rejects.toThrow('half way')
  await expectExact(store)
  await store.query((db) => db.execute(sql`delete from trash where id = 'x'`))
  await expectExact(store)
  await store.query((db) => db.execute(sql`delete from trash`))
  expect(await store.query((db) => db.execute(kept))).toHaveLength(0)
})

test('those who settle rows of a deleted topology one by one, and its recorder, never wait for each other in a circle', async () => {
  const store = await migratedStore()
  const ids = Array.from({ length: 40 }, (_, n) => `x${n}`)
  await record(
    store,
    't1',
    ids.map((id) => trashed('r', id)),
  )
  const alone = ids.slice(0, 20).map((id) => settleDirectly(store, 't1', discarded('r', id)))
  const together = (async () => {
    for (let n = 0; n < 20; n++)
      await record(store, 't1', [trashed('r', `y${n}`), ...ids.toReversed().map((id) => discarded('r', id))])
  })()
  await Promise.all([...alone, together])
  await expectExact(store)
  expect(await openTrash(store)).toEqual(new Map([['t1', 20]]))
})

/** What groups have to be, from the rows themselves, the largest first. */
async function groupsByRows(store: Store, filter: TrashFilter) {
  const rows = await store.query((db) =>
    db.execute<{ id: string; topology_id: string; node_id: string; fingerprint: string; state: string; at: string }>(
      sql`select id, topology_id, node_id, fingerprint, state, created_at::text as at from trash order by created_at, id`,
    ),
  )
  const wanted = rows.filter(
    (row) =>
      (filter.topologyId ?? row.topology_id) === row.topology_id &&
      (filter.nodeIds ?? [row.node_id]).includes(row.node_id) &&
      (filter.fingerprint ?? row.fingerprint) === row.fingerprint &&
      (filter.state ?? row.state) === row.state,
  )
  const groups = new Map<string, typeof wanted>()
  for (const row of wanted) {
    const key = `${row.topology_id} ${row.fingerprint}`
    groups.set(key, [...(groups.get(key) ?? []), row])
  }
  return [...groups.values()].map((of) => ({
    fingerprint: of[0]?.fingerprint,
    topologyId: of[0]?.topology_id,
    count: of.length,
    firstSeen: new Date(of[0]?.at ?? ''),
    lastSeen: new Date(of.at(-1)?.at ?? ''),
    newestId: of.at(-1)?.id,
  }))
}

test('groups by topology, node, fingerprint and state have the count, times and newest row of what the filter leaves', async () => {
  const store = await migratedStore()
  const all = Array.from({ length: 60 }, (_, n) => ({
    topologyId: topologies[n % 3] ?? '',
    nodeId: nodes[n % 2] ?? '',
    title: titles[(n % 5) % 3] ?? '',
    settled: (['open', 'replayed', 'discarded', 'open'] as const)[n % 4] ?? 'open',
  }))
  for (const topologyId of topologies) await record(store, topologyId, outcomesOf(all, topologyId))
  const [{ fingerprint } = { fingerprint: '' }] = await trashGroups(store, {}, 1)
  const filters: TrashFilter[] = [{}, { topologyId: 't2' }, { nodeIds: ['t1-b', 't2-b', 'nobody'] }, { fingerprint }]
  const since = new Date('2020-01-01')
  for (const filter of filters.flatMap((one) => [one, ...trashStates.map((state) => ({ ...one, state }))])) {
    const expected = await groupsByRows(store, filter)
    const bySize = (groups: readonly { count: number }[]) => groups.map(({ count }) => count)
    for (const found of [await trashGroups(store, filter, 500), await trashGroups(store, { ...filter, since }, 500)]) {
      expect(bySize(found)).toEqual(bySize(found).toSorted((a, b) => b - a))
      expect(
        new Set(found.map(({ error: _, topologyName: __, nodeName: ___, nodeId: ____, ...group }) => group)),
      ).toEqual(new Set(expected))
    }
  }
  expect(await trashGroups(store, {}, 2)).toEqual((await trashGroups(store, {}, 500)).slice(0, 2))
})
