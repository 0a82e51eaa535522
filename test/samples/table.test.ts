import { Fail, Retry } from '@sluiceway/worker'
import postgres from 'postgres'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { EnrichedPlace } from '../../workers/samples/cities/records.ts'
import { openPlaces, type PlacesTable } from '../../workers/samples/cities/systems/table.ts'
import { freshDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'

let url: string
let places: PlacesTable
beforeEach(async () => {
  url = await freshDatabase()
  places = await openPlaces(url)
})
afterEach(() => places.close())

const place = (id: number, name = 'Žižkov'): EnrichedPlace => ({
  id,
  name,
  altName: null,
  search: 'zizkov',
  country: 'CZ',
  adminCode: '52',
  featureCode: 'PPL',
  population: 1,
  lat: 50.1,
  lon: 14.4,
  countryName: 'Czechia',
  continent: 'Europe',
  timeZone: 'Europe/Prague',
})

const save = (id: number, messageId: string, { run = 'r1', name = 'Žižkov' } = {}) =>
  places.save({ place: place(id, name), messageId, run })

async function rows(): Promise<Record<string, unknown>[]> {
  const sql = postgres(url, { max: 1 })
  const found = await sql`select id::integer, name, message_id, run, duplicates from places order by id`
  await sql.end()
  return found.map((row) => ({ ...row }))
}

test('a place is stored once, with all of its fields', async () => {
  await save(1, 'm1')
  expect(await rows()).toEqual([{ id: 1, name: 'Žižkov', message_id: 'm1', run: 'r1', duplicates: 0 }])
})

test('the same message again is no duplicate; another message for the same place is', async () => {
  await Promise.all([save(1, 'm1'), save(1, 'm1'), save(2, 'm2')])
  await save(2, 'm3')
  expect((await rows()).map(({ duplicates }) => duplicates)).toEqual([0, 1])
})

test('a later run writes over the rows of an earlier one, and that is no duplicate', async () => {
  await save(1, 'm1')
  await save(1, 'm2')
  await save(1, 'm3', { run: 'r2', name: 'Praha' })
  expect(await rows()).toEqual([{ id: 1, name: 'Praha', message_id: 'm3', run: 'r2', duplicates: 0 }])
})

test('data that the table refuses fails for good, and alone', async () => {
  const results = await Promise.allSettled([save(1, 'm1'), save(2, 'm2', { name: 'nul\u0000' }), save(3, 'm3')])
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect((results[1] as PromiseRejectedResult).reason).toBeInstanceOf(Fail)
  expect(await rows()).toHaveLength(2)
})

test('a table that is gone is to be tried again', async () => {
  const sql = postgres(url, { max: 1 })
  await sql`drop table places`
  await sql.end()
  await expect(save(1, 'm1')).rejects.toBeInstanceOf(Retry)
})

test('a connection that is cut off again and again, while places are saved, is made anew', async () => {
  const sql = postgres(url, { max: 1 })
  const outcomes: unknown[] = []
  for (let id = 1; id <= 30; id++) {
    const saved = save(id, `m${id}`).catch((error: unknown) => error)
    await sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'sluiceway-cities' and datname = current_database()`
    outcomes.push(await saved)
  }
  await sql.end()
  expect(outcomes.filter((error) => error !== undefined && !(error instanceof Retry))).toEqual([])
  await eventually('saving works again', () => save(31, 'm31').then(() => true))
  const stored = outcomes.flatMap((error, index) => (error === undefined ? [index + 1] : []))
  expect((await rows()).map(({ id }) => id)).toEqual(expect.arrayContaining([...stored, 31]))
})

test('opening the table again keeps its rows', async () => {
  await save(1, 'm1')
  const again = await openPlaces(url)
  await again.close()
  expect(await rows()).toHaveLength(1)
})
