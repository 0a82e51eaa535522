import { Refused } from '../../../runtime/client/index.ts'
import type { Fault } from '../../../runtime/client/index.ts'

/** What went wrong, as it is shown. */
export interface Shown {
  readonly title: string
  readonly detail: string
  readonly errors: readonly Fault[]
  /** When it may be tried again; null: nothing is said. */
  readonly retryAfterMs: number | null
  /** Which kind of refusal, where the status doesn’t say it all. */
  readonly type: string | null
  /** Nothing answered at all. */
  readonly isAway: boolean
}

const titles: Readonly<Record<number, string>> = {
  400: 'That can’t be taken as it is',
  401: 'The login has ended',
  403: 'Your token may not do this',
  404: 'There is no such thing',
  409: 'Not possible in this state',
  412: 'Somebody else was faster',
  413: 'That is too large',
  415: 'That is of another type than is taken',
  429: 'Too much at once',
  503: 'A part is away',
}

export function shownOf(error: unknown): Shown {
  const cause = error instanceof Error ? error.cause : undefined
  if (cause instanceof Refused) {
    const title = titles[cause.status] ?? 'The engine failed on this'
    return {
      title,
      detail: cause.message,
      errors: cause.errors,
      retryAfterMs: cause.retryAfterMs,
      type: cause.type,
      isAway: false,
    }
  }
  const detail = error instanceof Error ? error.message : String(error)
  return { title: 'The engine can’t be reached', detail, errors: [], retryAfterMs: null, type: null, isAway: true }
}

/** The first fault of a field, for the field; `retry.attempts` is also a fault of `retry`. */
export function faultAt(error: unknown, path: string): string | null {
  const fault = shownOf(error).errors.find((one) => one.path === path || one.path.startsWith(`${path}.`))
  return fault?.message ?? null
}

/** Only what is said of this very path: a row of a list, whose fields have faults of their own. */
export function faultOf(error: unknown, path: string): string | null {
  return shownOf(error).errors.find((one) => one.path === path)?.message ?? null
}

/** All faults of a list that one field takes, each with its place when there are several. */
export function faultsOf(error: unknown, path: string): string | null {
  const faults = shownOf(error).errors.filter((one) => one.path === path || one.path.startsWith(`${path}[`))
  if (faults.length === 0) return null
  return faults.map(({ path: at, message }) => (at === path ? message : `${placeOf(at)}: ${message}`)).join('; ')
}

/** `urls[1]` is the second one. */
function placeOf(path: string): string {
  const index = /\[(\d+)\]$/.exec(path)?.[1]
  return index === undefined ? path : `line ${Number(index) + 1}`
}
