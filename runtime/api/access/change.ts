import type { AuditRow } from '../../store/queries/audit.ts'
import type { Store } from '../../store/store.ts'

export type Fields = Readonly<Record<string, unknown>>

/** What a request changed; `before` null: there was nothing, `after` null: there is nothing any more. */
export interface Change {
  readonly kind: AuditRow['kind']
  readonly id: string
  readonly name: string | null
  readonly topologyId: string | null
  readonly before: Fields | null
  readonly after: Fields | null
}

/** Writes a change of this request into the audit log, as a part of the transaction that makes it; the same `id` once. */
export type Audit = (inside: Store, change: Change, id?: string) => Promise<void>
