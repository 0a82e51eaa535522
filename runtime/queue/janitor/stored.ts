import type { StoredMsg } from '@nats-io/jetstream'
import type { Connection } from '../connection.ts'

/**
 * The first stored message of a filter from a sequence on; null when there is none. Asked of the stream's leader: a direct get is
 * answered by any replica, also by one that is only 90 % caught up after it was away, and that doesn't have what is newer.
 */
export function firstStored(
  { jsm }: Connection,
  stream: string,
  sequence: number,
  filter: string,
): Promise<StoredMsg | null> {
  // The client's type doesn't know of the filter, the server does.
  const query: { seq: number } = { seq: sequence, ...{ next_by_subj: filter } }
  return jsm.streams.getMessage(stream, query)
}

/** One message by its sequence; null when it is gone. Asked of the leader too. */
export function storedAt({ jsm }: Connection, stream: string, sequence: number): Promise<StoredMsg | null> {
  return jsm.streams.getMessage(stream, { seq: sequence })
}

/** The last stored message of a filter; null when there is none. Asked of the leader too. */
export function lastStored({ jsm }: Connection, stream: string, filter: string): Promise<StoredMsg | null> {
  return jsm.streams.getMessage(stream, { last_by_subj: filter })
}
