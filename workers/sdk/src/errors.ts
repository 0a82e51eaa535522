/** What a worker can answer besides success, by what follows from it; see `Retry`, `Fail`, `RateLimited`. */

/** One thing wrong in an input; `path` as in `lines[2].amount`. */
export interface Fault {
  readonly path: string
  readonly message: string
}

export interface FailureOptions extends ErrorOptions {
  /** Short name of this kind of failure; failures with the same title are grouped in Trash. */
  readonly title?: string | undefined
  /** URI of a page about this kind of failure. */
  readonly type?: string | undefined
  /** HTTP status of the reply. */
  readonly status?: number | undefined
  readonly errors?: readonly Fault[] | undefined
  /** Further members of the problem, such as `{ orderId: 12 }`. */
  readonly more?: Readonly<Record<string, unknown>> | undefined
}

/** Base of the three; catch it to tell a decided failure from an unexpected one. */
export class Failure extends Error {
  readonly options: FailureOptions
  readonly afterMs: number | undefined
  constructor(message: string, options: FailureOptions & { afterMs?: number | undefined } = {}) {
    super(message, options)
    this.options = options
    this.afterMs = options.afterMs
  }
}

/** The call may succeed later: it is made again by the node's retry policy, not before `afterMs`. Burns an attempt. */
export class Retry extends Failure {
  override readonly name = 'Retry'
}

/** The message can never succeed as it is: it goes to Trash at once. */
export class Fail extends Failure {
  override readonly name = 'Fail'
}

/** The service wants fewer requests: its calls pause for `afterMs` (or a backoff). Burns no attempt. */
export class RateLimited extends Failure {
  override readonly name = 'RateLimited'
  constructor(options: FailureOptions & { afterMs?: number | undefined; message?: string | undefined } = {}) {
    super(options.message ?? 'The service asks for fewer requests.', options)
  }
}

export interface ProblemFields {
  readonly title: string
  readonly detail?: string | undefined
  readonly type?: string | undefined
  readonly errors?: readonly Fault[] | undefined
}

/** A reply with a body of `application/problem+json` (RFC 9457). */
export function problem(
  status: number,
  fields: ProblemFields & Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const body = JSON.stringify({ ...fields, type: fields.type ?? 'about:blank', status })
  return new Response(body, { status, headers: { 'content-type': 'application/problem+json', ...headers } })
}

/** The reply for anything that a handler threw. The stack stays here. */
export function failureReply(error: unknown): Response {
  if (error instanceof Retry)
    return failed(error, error.options.status ?? 500, 'To be tried again', { 'sluice-retry': '1' })
  if (error instanceof RateLimited) return failed(error, 429, 'Rate limited', {})
  if (error instanceof Fail)
    return failed(error, finalStatus(error.options.status), 'Failed for good', { 'sluice-retry': '0' })
  if (error instanceof Error) return problem(500, { title: error.name, detail: error.message })
  return problem(500, { title: 'Error', detail: String(error) })
}

function failed(error: Failure, status: number, title: string, headers: Readonly<Record<string, string>>): Response {
  const { options, afterMs } = error
  const wait = afterMs === undefined ? {} : { 'retry-after': String(Math.ceil(afterMs / 1000)) }
  const fields = { title: options.title ?? title, detail: error.message, type: options.type, errors: options.errors }
  return problem(status, { ...options.more, ...fields }, { ...headers, ...wait })
}

const notFinal: readonly number[] = [401, 408, 409, 425, 429]

/** A status that means Trash; 401 would speak of our own signature, and a few others mean another try. */
function finalStatus(status: number | undefined): number {
  return status !== undefined && status >= 400 && status < 500 && !notFinal.includes(status) ? status : 422
}
