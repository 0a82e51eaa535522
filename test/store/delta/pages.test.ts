import { expect, test } from 'vitest'
import { cursorDeeds, cursorOfPage, editCursor, listCursors, lockActive } from '../../../runtime/store/delta/cursors.ts'
import { pagesKept } from '../../../runtime/store/delta/pages.ts'
import type { Outcome } from '../../../runtime/protocol/outcome.ts'
import { applyOutcomes, position } from '../../../runtime/store/outcomes.ts'
import { discarded, ended, pageRead, replayed, split, started, trashed } from '../outcome-samples.ts'
import { openShared } from './shared.ts'

const store = openShared()
const epoch = '2026-03-01T00:00:00Z'

async function record(...outcomes: Outcome[]): Promise<void> {
  const from = await position(store, 't', epoch)
  await applyOutcomes(store, 't', { epoch, from, to: from + 1 }, outcomes)
}

const page = (n: number, next: string | null, message = 'r') =>
  split('r', 0, pageRead({ message, page: n, cursor: n === 0 ? null : `c${n}`, next, progress: `${n}` }))

const states = async (isActive?: boolean) =>
  (await listCursors(store, { isActive }, 50, null)).map(({ messageId, state }) => [messageId, state]).sort()

const firstId = async (): Promise<string> => (await listCursors(store, {}, 1, null))[0]?.id ?? ''

const failed = (trashId: string, message: string) =>
  trashed('r', trashId, { message: { ...trashed('r', trashId).message, id: message } })

test('readings read, are stopped by Trash, come to their end, or are given up', async () => {
  const all = ['r.0', 'r.1', 'r.2', 'r.3']
  await record(started('r'), split('r', 3), ...all.map((message) => page(0, 'c1', message)))
  await record(failed('x', 'r.1!2'), failed('y', 'r.2'), ended('r', { batch: pageRead({ message: 'r.3', page: 1 }) }))
  await record(discarded('r', 'y'))
  expect(await states()).toEqual([
    ['r.0', 'reading'],
    ['r.1', 'stopped'],
    ['r.2', 'abandoned'],
    ['r.3', 'ended'],
  ])
  await record(ended('r'))
  expect(await states(true)).toEqual([['r.1', 'stopped']])
  expect(await states(false)).toEqual([
    ['r.0', 'abandoned'],
    ['r.2', 'abandoned'],
    ['r.3', 'ended'],
  ])
})

test('a reading whose first page failed for good is there and stopped, and reads on when that is replayed', async () => {
  const reading = { commit: null }
  await record(started('r'), { ...failed('x', 'r'), reading })
  expect(await states(true)).toEqual([['r', 'stopped']])
  expect(await cursorDeeds(store, await firstId(), 50, null)).toEqual([])
  await record(replayed('r', 'x'), page(0, 'c1', 'r!1'))
  expect(await states()).toEqual([['r', 'reading']])
})

test('a first page that is told of late, with its failure in the same batch, is not forgotten', async () => {
  await record(
    { ...failed('x', 'r'), reading: { commit: null } },
    started('r'),
    replayed('r', 'x'),
    page(0, 'c1', 'r!1'),
  )
  expect(await listCursors(store, {}, 1, null)).toMatchObject([{ page: 0, next: 'c1', state: 'reading' }])
})

test('the history has every page once, and edits after the page that was the newest then', async () => {
  await record(started('r'), page(0, 'c1'), page(1, 'c2'))
  await record(page(1, 'c2'))
  const id = await firstId()
  await store.transaction(async (inside) => {
    const editing = {
      deed: 'rewound',
      cursor: await cursorOfPage(inside, id, 0),
      by: 'ann',
      reason: 'why not',
    } as const
    await editCursor(inside, await lockActive(inside, id), editing, 0)
  })
  await record(page(2, null))
  const deeds = await cursorDeeds(store, id, 50, null)
  expect(deeds.map(({ deed, page, cursor, by }) => [deed, page, cursor, by])).toEqual([
    ['read', 2, 'c2', null],
    ['rewound', 1, null, 'ann'],
    ['read', 1, 'c1', null],
    ['read', 0, null, null],
  ])
  expect(await cursorDeeds(store, id, 50, { page: 1, edit: 1 })).toHaveLength(2)
  await expect(store.transaction((inside) => lockActive(inside, id))).rejects.toThrow('has read its last page')
})

test('the newest pages are kept, however many there are', async () => {
  const pages = Array.from({ length: pagesKept + 5 }, (_, n) => page(n, `c${n + 1}`))
  await record(started('r'), ...pages)
  const id = await firstId()
  expect(await cursorDeeds(store, id, 2_000, null)).toHaveLength(pagesKept)
  await expect(cursorOfPage(store, id, 4)).rejects.toThrow('too long ago')
  expect(await cursorOfPage(store, id, 5)).toBe('c5')
})
