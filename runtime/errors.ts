/** The few errors that code here tells apart, by what follows from them. */

/** Input that can never work as it is: say what, where and how to fix it. HTTP 400, CLI exit code 2. */
export class Invalid extends Error {
  override readonly name = 'Invalid'
  readonly errors: readonly Fault[]
  constructor(message: string, errors: readonly Fault[] = [], options?: ErrorOptions) {
    super(message, options)
    this.errors = errors
  }
}

/** One thing wrong in an input; `path` as in `nodes[2].prefetch`. */
export interface Fault {
  readonly path: string
  readonly message: string
}

/** A part that the engine needs can't be reached or used now. HTTP 503, CLI exit code 1. */
export class Unavailable extends Error {
  override readonly name: string = 'Unavailable'
  /** Short name of the part: `nats`, `postgres`. */
  readonly part: string
  constructor(part: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.part = part
  }
}

/** It was asked, and the answer is lost: done or not, nobody knows. Whoever asks again has to ask for the very same thing. */
export class Unsure extends Unavailable {
  override readonly name = 'Unsure'
}

/** The process or a part of it stops: what was under way is given back, nothing failed. */
export class Stopped extends Error {
  override readonly name = 'Stopped'
}

/** The thing asked for doesn't exist. HTTP 404. */
export class NotFound extends Error {
  override readonly name = 'NotFound'
}

/** The state of the thing forbids it. HTTP 409. */
export class Conflict extends Error {
  override readonly name = 'Conflict'
}

/** Somebody else changed it since it was read. HTTP 412. */
export class LostRace extends Error {
  override readonly name = 'LostRace'
}

/** Text of anything that was thrown. */
export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
