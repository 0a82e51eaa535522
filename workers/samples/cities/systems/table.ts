import { Fail, Retry } from '@sluiceway/worker'
import postgres from 'postgres'
import { inBatches } from './batches.ts'
import { openClient } from './client.ts'
import type { EnrichedPlace } from '../records.ts'

/** One row to write, and the message that brought it. */
export interface PlaceWrite {
  readonly place: EnrichedPlace
  readonly messageId: string
  readonly run: string
}

/** The table `places`. Safe to use from many calls at once. */
export interface PlacesTable {
  /** Inserts or replaces one place; done when it is committed. Throws `Fail` for data that the table refuses, `Retry` otherwise. */
  save(write: PlaceWrite): Promise<void>
  close(): Promise<void>
}

/**
 * Connects, and makes the table when it isn't there. `duplicates` counts how often a row was written again in the same run
 * under another message id: a message that was delivered twice has the same id, one that was doubled has not.
 */
export async function openPlaces(url: string): Promise<PlacesTable> {
  const client = openClient(url, isDataError)
  try {
    await client.run(createTable)
  } catch (error) {
    await client.close()
    throw error
  }
  const save = inBatches<PlaceWrite>({
    keyOf: ({ place }) => place.id,
    write: (writes) => client.run((sql) => upsert(sql, writes)),
    refusesOne: isDataError,
  })
  return {
    save: (write) => save(write).catch((error: unknown) => Promise.reject(consequence(error))),
    close: () => client.close(),
  }
}

async function createTable(sql: postgres.Sql): Promise<void> {
  await sql`
    create table if not exists places (
      id bigint primary key,
      name text not null,
      alt_name text,
      search text not null,
      country text not null,
      admin_code text not null,
      feature_code text not null,
      population integer not null,
      lat double precision not null,
      lon double precision not null,
      country_name text not null,
      continent text not null,
      time_zone text not null,
      message_id text not null,
      run text not null,
      duplicates integer not null default 0
    )`
}

/** One statement for any number of rows, so that its plan is kept. */
async function upsert(sql: postgres.Sql, writes: readonly PlaceWrite[]): Promise<void> {
  const rows = writes.map(({ place, messageId, run }) => ({ ...place, messageId, run }))
  await sql`
    insert into places (id, name, alt_name, search, country, admin_code, feature_code, population, lat, lon,
      country_name, continent, time_zone, message_id, run)
    select id, name, "altName", search, country, "adminCode", "featureCode", population, lat, lon,
      "countryName", continent, "timeZone", "messageId", run
    from jsonb_to_recordset(${sql.json(rows)}) as row (id bigint, name text, "altName" text, search text, country text,
      "adminCode" text, "featureCode" text, population integer, lat double precision, lon double precision,
      "countryName" text, continent text, "timeZone" text, "messageId" text, run text)
    on conflict (id) do update set
      name = excluded.name, alt_name = excluded.alt_name, search = excluded.search, country = excluded.country,
      admin_code = excluded.admin_code, feature_code = excluded.feature_code, population = excluded.population,
      lat = excluded.lat, lon = excluded.lon, country_name = excluded.country_name, continent = excluded.continent,
      time_zone = excluded.time_zone, message_id = excluded.message_id, run = excluded.run,
      duplicates = case when places.run = excluded.run
        then places.duplicates + (places.message_id <> excluded.message_id)::integer else 0 end`
}

/** SQLSTATE classes 22 (data exception) and 23 (constraint): the row is at fault. */
function isDataError(error: unknown): boolean {
  return error instanceof postgres.PostgresError && /^2[23]/.test(error.code)
}

function consequence(error: unknown): Error {
  const message = error instanceof Error ? error.message : String(error)
  if (isDataError(error)) return new Fail(message, { title: 'The table refuses the place', cause: error })
  return new Retry(`places can't be written: ${message}`, { title: 'Table unavailable', cause: error })
}
