import { Conflict, Invalid, LostRace, NotFound, Unavailable } from '../errors.ts'
import type { Fault } from '../errors.ts'

/** What the engine answered when it refused: the cause of every error that is thrown for an answer. */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly status: number
  /** Every fault of the input, with its path. */
  readonly errors: readonly Fault[]
  /** When it may be asked again; null when the answer doesn't say. */
  readonly retryAfterMs: number | null
  /** Which kind of refusal, such as `urn:sluice:schema-mismatch`; null where the status says it all. */
  readonly type: string | null
  constructor(
    status: number,
    detail: string,
    errors: readonly Fault[],
    retryAfterMs: number | null,
    type: string | null = null,
  ) {
    super(detail)
    this.status = status
    this.type = type
    this.errors = errors
    this.retryAfterMs = retryAfterMs
  }
}

/** How the address and the token are called where they were given, for what is said of them. */
export interface Names {
  readonly url: string
  readonly token: string
}

interface Problem {
  readonly type?: unknown
  readonly title?: string
  readonly detail?: string
  readonly errors?: readonly Fault[]
}

/** What an answer that is no success means, by its consequence: the caller is at fault, somebody was faster, or try again later. */
export async function errorOf(response: Response, base: string, names: Names): Promise<Error> {
  const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json') === true
  if (!isProblem) return strange(base, names, new Error(`it answered ${response.status} without a problem+json`))
  const problem = await problemIn(response)
  if (problem === null)
    return strange(base, names, new Error(`it answered ${response.status} with a broken problem+json`))
  const { title, detail = title ?? `status ${response.status}`, errors = [], type } = problem
  const kind = typeof type === 'string' && type !== 'about:blank' ? type : null
  const cause = new Refused(response.status, detail, errors, retryAfterMs(response), kind)
  switch (response.status) {
    case 400:
    case 413:
    case 415:
      return new Invalid(detail, errors.length === 1 && detail.includes(errors[0]?.message ?? ' ') ? [] : errors, {
        cause,
      })
    case 401:
      return new Unavailable('engine', `${base} refuses the token: give the right one with ${names.token}`, { cause })
    case 404:
      return new NotFound(detail, { cause })
    case 409:
      return new Conflict(detail, { cause })
    case 412:
      return new LostRace(detail, { cause })
    default:
      return new Unavailable('engine', detail, { cause })
  }
}

/** Null for what is none, as only something that is no engine sends it. */
async function problemIn(response: Response): Promise<Problem | null> {
  const body = (await response.json().catch(() => null)) as Problem | null
  const isProblem = typeof body?.detail === 'string' || typeof body?.title === 'string'
  return isProblem && Array.isArray(body.errors ?? []) ? body : null
}

/** Whatever answers there, it is no engine. */
export function strange(base: string, names: Names, cause: unknown): Unavailable {
  return new Unavailable('engine', `${base} doesn't answer as an engine does: check ${names.url}`, { cause })
}

/** Status with which the engine refused, or null when the error isn't one of an answer. */
export function statusOf(error: unknown): number | null {
  return error instanceof Error && error.cause instanceof Refused ? error.cause.status : null
}

function retryAfterMs(response: Response): number | null {
  const seconds = Number(response.headers.get('retry-after') ?? NaN)
  return Number.isFinite(seconds) ? seconds * 1_000 : null
}
