import type { ChunkLayout } from './records/chunks.ts'

/**
 * How far a body that is split into records has come in. It travels with each chunk, so that the newest one says all.
 *
 * | state       | means                                                                                     |
 * |-------------|-------------------------------------------------------------------------------------------|
 * | `receiving` | there is more to come: from who sends now, or who sends the same again                    |
 * | `complete`  | all of it is stored                                                                       |
 * | `broken`    | it ended in the middle, and nobody can go on: what came before is stored; `error` says why |
 * | `cancelled` | somebody cancelled the run before the end had come                                        |
 * | `abandoned` | nothing more came for three days                                                          |
 */
export interface Intake {
  readonly state: IntakeState
  /** Was there a key? Then it goes on when the same is sent again. */
  readonly resumable: boolean
  /** Chunks that are stored. */
  readonly chunks: number
  /** In them: records, and what is no record and goes to Trash. */
  readonly records: number
  readonly trashed: number
  /** Over all of them, in order: each over the digest of those before, and its own bytes. SHA-256 in hex. */
  readonly digest: string
  /** Of the first one; null: there is none. Most other bodies differ there already. */
  readonly head: string | null
  readonly error: string | null
  /** RFC 3339, when something came last, or its sender was last seen: he may be held back. */
  readonly at: string
}

export const intakeStates = ['receiving', 'complete', 'broken', 'cancelled', 'abandoned'] as const
export type IntakeState = (typeof intakeStates)[number]

/** A chunk as it lies before an event node: where things are in it, how far the intake is with it, and the type that was sent. */
export interface ChunkHead extends ChunkLayout {
  readonly intake: Intake
  readonly contentType: string
}

/** Idle for so long, an intake is given up. */
export const abandonedAfterMs = 72 * 60 * 60 * 1000
/** Without a key its sender is the only one who can go on: when nobody has seen him for so long, it is broken. */
export const goneAfterMs = 60 * 60 * 1000
