import { JetStreamApiError } from '@nats-io/jetstream'
import { RequestError } from '@nats-io/transport-node'
import type { Connection } from '../connection.ts'
import { isPut, lastChange } from '../entries.ts'
import { headerBlock } from '../envelope.ts'
import { PublishRefused, refusal } from '../publish/publisher.ts'
import type { Publisher } from '../publish/publisher.ts'

/**
 * Small states that several bridges change at the same time, each in an entry of the bucket `<namespace>_limits`. Who changes one
 * says from which revision on; who comes second is told, and looks again.
 */
export interface Cells {
  /** As the leader has it; `state` null: nothing is kept. Rejects while NATS doesn't answer. */
  read(id: string): Promise<Cell>
  /**
   * Resolves with the new revision; null: somebody else was faster, nothing is changed. Rejects while NATS doesn't answer: then it may have
   * been changed or not, and who doesn't know must act as if it had been.
   */
  write(id: string, state: string, revision: number): Promise<number | null>
}

export interface Cell {
  readonly state: string | null
  readonly revision: number
}

const encoder = new TextEncoder()

export function openCells(connection: Connection, publisher: Publisher, bucket: string): Cells {
  return {
    async read(id) {
      const last = await lastChange(connection, bucket, id)
      return { state: last !== null && isPut(last) ? last.string() : null, revision: last?.seq ?? 0 }
    },
    async write(id, state, revision) {
      try {
        const expected = headerBlock([['Nats-Expected-Last-Subject-Sequence', String(revision)]])
        return await publisher.publish(`$KV.${bucket}.${id}`, expected, encoder.encode(state))
      } catch (error) {
        if (error instanceof PublishRefused && isLost(error.code)) return null
        throw error
      }
    },
  }
}

/** The server has answered that it doesn't keep such a state now: so it keeps none of another bridge's either. */
export function isRefused(error: unknown): boolean {
  if (error instanceof PublishRefused) return true
  const cause = error instanceof Error && error.cause instanceof RequestError ? error.cause : error
  return cause instanceof JetStreamApiError || (cause instanceof RequestError && cause.isNoResponders())
}

/** On a cluster a write that is under way refuses the next one with a code of its own. */
const isLost = (code: number): boolean => code === refusal.settled || code === refusal.undecided
