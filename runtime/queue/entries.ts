import { setTimeout as wait } from 'node:timers/promises'
import { JetStreamApiError } from '@nats-io/jetstream'
import type { StoredMsg } from '@nats-io/jetstream'
import type { KV } from '@nats-io/kv'
import type { Connection } from './connection.ts'
import { refusal } from './publish/publisher.ts'

/**
 * Reads of KV buckets as their leader has them: a copy that is behind would show what was before.
 *
 * The client's own listing of keys makes a consumer, and leaves it behind for minutes when there are none; a server takes a
 * thousand such consumers on a stream at most, and then no bridge could watch the bucket any more.
 */
type Leader = Pick<Connection, 'jsm'>

/** The entries under keys that fit the filter (`paused.*`), by key; removed ones aren't among them. One request, and one for each entry. */
export async function entriesIn<T>({ jsm }: Leader, bucket: string, filter: string): Promise<Map<string, T>> {
  const { state } = await jsm.streams.info(streamOf(bucket), { subjects_filter: subjectOf(bucket, filter) })
  const keys = Object.keys(state.subjects ?? {}).map((subject) => subject.slice(subjectOf(bucket, '').length))
  const entries = await Promise.all(keys.map((key) => lastEntry({ jsm }, bucket, key)))
  return new Map(
    keys.flatMap((key, index): [string, T][] => {
      const entry = entries[index]
      return entry ? [[key, entry.json<T>()]] : []
    }),
  )
}

/** Null when there is none, or it was removed. */
export async function lastEntry(leader: Leader, bucket: string, key: string): Promise<StoredMsg | null> {
  const change = await lastChange(leader, bucket, key)
  return change !== null && isPut(change) ? change : null
}

/** What was put or removed last under a key (it may have `*` and `>`); null when nothing was, or that is forgotten. */
export function lastChange({ jsm }: Leader, bucket: string, key: string): Promise<StoredMsg | null> {
  return jsm.streams.getMessage(streamOf(bucket), { last_by_subj: subjectOf(bucket, key) })
}

/**
 * Puts what `next` makes of what was put last (null: nothing, or it was removed), unless that is null, and nobody has changed the entry
 * in between; else it is asked again. So a call that comes late can't undo what was put since.
 */
export async function changeEntry(
  leader: Leader,
  { name, bucket }: { readonly name: string; readonly bucket: Pick<KV, 'put'> },
  key: string,
  next: (before: StoredMsg | null) => string | null,
): Promise<void> {
  for (;;) {
    const before = await lastChange(leader, name, key)
    const text = next(before !== null && isPut(before) ? before : null)
    if (text === null) return
    try {
      await bucket.put(key, text, { previousSeq: before?.seq ?? 0 })
      return
    } catch (error) {
      if (!(error instanceof JetStreamApiError) || error.code !== refusal.settled) throw error
      await wait(10 + Math.random() * 40)
    }
  }
}

export const isPut = ({ header }: StoredMsg): boolean => header.get('KV-Operation') === ''

const streamOf = (bucket: string): string => `KV_${bucket}`
const subjectOf = (bucket: string, key: string): string => `$KV.${bucket}.${key}`
