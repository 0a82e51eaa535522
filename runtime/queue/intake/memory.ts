import { JetStreamApiError } from '@nats-io/jetstream'
import { Kvm } from '@nats-io/kv'
import type { KV } from '@nats-io/kv'
import type { Connection } from '../connection.ts'
import { lastEntry } from '../entries.ts'
import { raiseCopies } from '../look/copies.ts'
import type { Copies } from '../look/copies.ts'
import { refusal } from '../publish/publisher.ts'

/**
 * Which deliveries of webhooks came before, in the bucket `<namespace>_intake`: so that one that comes again is known, however far the
 * history of its queue reaches, and also while Postgres is away.
 */
export interface IntakeMemory {
  /**
   * Notes an id, for 72 hours. Null: it is new; else when it was noted first. Noted isn't accepted: who notes an id publishes afterwards,
   * and may have died between the two.
   * @throws what NATS says when it can't be asked
   */
  note(id: string): Promise<Date | null>
}

const keptMs = 72 * 3_600_000

/** The bucket is made with the first id: an engine without webhooks has none. */
export function openIntakeMemory(connection: Connection, namespace: string, copies: Copies): IntakeMemory {
  const name = `${namespace}_intake`
  let opening: Promise<KV> | null = null
  const open = (): Promise<KV> =>
    (opening ??= openBucket(connection, name, copies).catch((error: unknown) => {
      opening = null
      throw error
    }))
  return {
    async note(id) {
      try {
        const bucket = await open()
        await bucket.put(id, '', { previousSeq: 0 })
        return null
      } catch (error) {
        const code = error instanceof JetStreamApiError ? error.code : null
        if (code === refusal.settled) return notedAt(connection, name, id)
        if (code === refusal.undecided) return new Date()
        // It may have been deleted by hand.
        opening = null
        throw error
      }
    },
  }
}

async function openBucket(connection: Connection, name: string, copies: Copies): Promise<KV> {
  const { replicas } = copies
  const bucket = await new Kvm(connection.js).create(name, { history: 1, ttl: keptMs, replicas })
  await raiseCopies(connection, await connection.jsm.streams.info(`KV_${name}`), copies)
  return bucket
}

/** One that was forgotten just now is as old as can be. */
async function notedAt(connection: Connection, bucket: string, id: string): Promise<Date> {
  return (await lastEntry(connection, bucket, id))?.time ?? new Date(Date.now() - keptMs)
}
