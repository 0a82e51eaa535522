import { eq, gte, inArray, lt, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import { trash } from '../schema/index.ts'
import type { trashStates } from '../schema/index.ts'
import { storable } from '../text.ts'
import { searchedText } from './text-search.ts'

export interface TrashFilter {
  readonly topologyId?: string | undefined
  /** Ids of nodes; several when a name was asked for that more than one topology has. */
  readonly nodeIds?: readonly string[] | undefined
  readonly runId?: string | undefined
  readonly fingerprint?: string | undefined
  readonly state?: (typeof trashStates)[number] | undefined
  readonly since?: Date | undefined
  readonly until?: Date | undefined
  readonly tenant?: string | undefined
  /** A part of the error's title or detail, whatever its case. */
  readonly text?: string | undefined
  /** A part of the body as it failed, or as it was edited, byte by byte. */
  readonly body?: string | undefined
  readonly ids?: readonly string[] | undefined
}

/** Written out, so that the partial indexes on open rows are used. */
const isOpen = sql`${trash.state} = 'open'`

/** What rows of a filter fulfil. */
export function conditions(filter: TrashFilter): (SQL | undefined)[] {
  const given = <T>(value: T | undefined, make: (value: T) => SQL) => (value === undefined ? undefined : make(value))
  return [
    given(filter.topologyId, (id) => eq(trash.topologyId, id)),
    given(filter.nodeIds, (ids) => inArray(trash.nodeId, [...ids])),
    given(filter.runId, (id) => eq(trash.runId, id)),
    given(filter.fingerprint, (print) => eq(trash.fingerprint, print)),
    given(filter.state, (state) => (state === 'open' ? isOpen : eq(trash.state, state))),
    given(filter.since, (since) => gte(trash.createdAt, since)),
    given(filter.until, (until) => lt(trash.createdAt, until)),
    given(filter.tenant, (tenant) => sql`${trash.message} ->> 'tenant' = ${tenant}`),
    given(filter.text, containsText),
    given(filter.body, inBody),
    given(filter.ids, (ids) => inArray(trash.id, ids.map(storable))),
  ]
}

/** Compared as bytes, so that nothing has to be decoded: what is no text can't fail, and isn't looked into. */
function inBody(text: string): SQL {
  const wanted = sql`convert_to(${text}, 'UTF8')`
  return sql`((${isText(sql`${trash.contentType}`)} and position(${wanted} in ${trash.body}) > 0) or exists (
    select from trash_versions v where v.trash_id = ${trash.id} and ${isText(sql`v.content_type`)} and position(${wanted} in v.body) > 0))`
}

const isText = (contentType: SQL): SQL =>
  sql`${contentType} ~* '^text/|^application/([a-z0-9.+-]*[+])?(json|xml|x-ndjson|jsonl|ndjson|yaml|x-www-form-urlencoded)'`

function containsText(text: string): SQL {
  const pattern = `%${text.replace(/[\\%_]/g, '\\$&')}%`
  return sql`${searchedText} like lower(${pattern})`
}
