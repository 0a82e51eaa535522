import type { Connection } from '../connection.ts'
import { closedSubject, streamName, subjectsOf } from '../names.ts'
import { orNull } from '../streams.ts'

/** Null: there is no stream. */
export async function lastSequenceOf({ jsm }: Connection, topologyId: string): Promise<number | null> {
  const info = await jsm.streams.info(streamName(topologyId)).catch(orNull)
  return info?.state.last_seq ?? null
}

/**
 * Deletes the stream of a topology if its last sequence is `last` still; false: it isn't. JetStream deletes on no condition, so the
 * stream is closed first: what is published then is confirmed to nobody. A process that dies here leaves it closed, which the next
 * deletion ends, and so does whoever makes the queues of a plan (`ensureQueues`).
 */
export async function destroyUnmoved({ jsm }: Connection, topologyId: string, last: number): Promise<boolean> {
  const name = streamName(topologyId)
  const closed = await jsm.streams.update(name, { subjects: [closedSubject(topologyId)] }).catch(orNull)
  if (closed === null) return true
  const { state } = await jsm.streams.info(name)
  if (state.last_seq === last) {
    await jsm.streams.delete(name).catch(orNull)
    return true
  }
  await jsm.streams.update(name, { subjects: [subjectsOf(topologyId)] })
  return false
}
