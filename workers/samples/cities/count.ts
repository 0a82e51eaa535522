import postgres from 'postgres'
import { goneFeatureCodes, type CityPage } from './records.ts'

/** What is where, counted in the source system and in the target table: nothing here asks the engine. */
export interface Counts {
  /** Places that the source system has. */
  readonly source: number
  /** Rows of the table. */
  readonly stored: number
  /** Places of the source that no longer exist, and so end in Trash. */
  readonly trashCandidates: number
  /** Times that a row was written again in the same run under another message id. */
  readonly duplicates: number
  /** Places that exist but have no row. */
  readonly missing: number
  /** Ids of the first of them, at most 20. */
  readonly missingIds: readonly number[]
  /** Rows that have no existing place in the source. */
  readonly extra: number
}

export interface CountOptions {
  readonly sourceUrl: string
  readonly postgresUrl: string
  /** Counts only rows that were last written in this run. */
  readonly run?: string | undefined
}

const auditPageSize = 5000
const idsMax = 20

/** Walks the whole source and looks up every place in the table. */
export async function countCities({ sourceUrl, postgresUrl, run }: CountOptions): Promise<Counts> {
  const sql = postgres(postgresUrl, { max: 1, onnotice: () => {} })
  const ofRun = run === undefined ? sql`true` : sql`run = ${run}`
  try {
    const [table] = await sql<{ stored: number; duplicates: number }[]>`
      select count(*)::integer as stored, coalesce(sum(duplicates), 0)::integer as duplicates from places where ${ofRun}`
    const { stored, duplicates } = table ?? { stored: 0, duplicates: 0 }
    const found = { source: 0, alive: 0, present: 0 }
    const missingIds: number[] = []
    for await (const items of auditPages(sourceUrl)) {
      const ids = items.filter(({ featureCode }) => !goneFeatureCodes.includes(featureCode)).map(({ id }) => id)
      const [row] = await sql<{ present: number }[]>`
        select count(*)::integer as present from places where id = any(${ids}::bigint[]) and ${ofRun}`
      found.source += items.length
      found.alive += ids.length
      found.present += row?.present ?? 0
      if (row?.present === ids.length || missingIds.length === idsMax) continue
      const absent = await sql<{ id: string }[]>`
        select id from unnest(${ids}::bigint[]) as id
        where not exists (select from places where places.id = id.id and ${ofRun}) limit ${idsMax - missingIds.length}`
      missingIds.push(...absent.map(({ id }) => Number(id)))
    }
    const { source, alive, present } = found
    return {
      source,
      stored,
      trashCandidates: source - alive,
      duplicates,
      missing: alive - present,
      missingIds,
      extra: stored - present,
    }
  } finally {
    await sql.end({ timeout: 5 })
  }
}

async function* auditPages(sourceUrl: string): AsyncGenerator<CityPage['items']> {
  let cursor: string | null = '0'
  while (cursor !== null) {
    const response = await fetch(`${sourceUrl}/cities?audit=1&limit=${auditPageSize}&after=${cursor}`)
    if (!response.ok) throw new Error(`the source system answered ${response.status} to an audit`)
    const page = (await response.json()) as CityPage
    yield page.items
    cursor = page.next
  }
}
