import { STATUS_CODES } from 'node:http'
import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { z } from 'zod'
import { Conflict, Invalid, LostRace, NotFound, Unavailable, textOf } from '../errors.ts'
import type { Fault } from '../errors.ts'
import { faultsMax } from '../topology/faults/faults.ts'
import { issuesOf } from '../topology/faults/issues.ts'
import type { Log } from '../telemetry/log.ts'
import { shownPath } from './access/hidden.ts'

/** An answer that is no success and that follows from HTTP itself rather than from the engine's state. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem'
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** What the problem says besides: extension members of RFC 9457. */
  readonly members: Readonly<Record<string, unknown>>
  constructor(
    status: number,
    message: string,
    headers: Readonly<Record<string, string>> = {},
    members: Readonly<Record<string, unknown>> = {},
  ) {
    super(message)
    this.status = status
    this.headers = headers
    this.members = members
  }
}

interface Shape {
  readonly status: number
  readonly detail: string
  readonly errors?: readonly Fault[]
  readonly headers?: Readonly<Record<string, string>>
  readonly members?: Readonly<Record<string, unknown>>
}

/** After a part that was away. */
export const retryAfterSeconds = '2'

/** Turns whatever was thrown into RFC 9457 `application/problem+json`. What isn't an answer of ours is a 500 that tells nothing. */
export function answerError(error: unknown, c: Context, log: Log): Response {
  const shape = shapeOf(error)
  if (shape.status === 500) {
    const stack = error instanceof Error ? error.stack : undefined
    log.error('a request failed inside the engine', {
      method: c.req.method,
      path: shownPath(c.req.path),
      error: textOf(error),
      stack,
    })
  }
  return problemResponse(c, shape)
}

export function problemResponse(c: Context, { status, detail, errors, headers, members }: Shape): Response {
  const title = STATUS_CODES[status] ?? 'Error'
  const body = {
    type: 'about:blank',
    title,
    status,
    detail,
    instance: shownPath(c.req.path),
    ...(errors && { errors }),
    ...members,
  }
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store', ...headers },
  })
}

function shapeOf(error: unknown): Shape {
  if (error instanceof Invalid) return { status: 400, detail: error.message, errors: faultsOf(error) }
  if (error instanceof NotFound) return { status: 404, detail: error.message }
  if (error instanceof Conflict) return { status: 409, detail: error.message }
  if (error instanceof LostRace) return { status: 412, detail: error.message }
  if (error instanceof Unavailable)
    return { status: 503, detail: error.message, headers: { 'retry-after': retryAfterSeconds } }
  if (error instanceof HttpProblem) {
    const { status, headers, members } = error
    return { status, detail: error.message, headers, members }
  }
  if (error instanceof HTTPException) return { status: error.status, detail: error.message || 'the request is wrong' }
  return { status: 500, detail: 'The engine failed on this request; its log says why.' }
}

function faultsOf(error: Invalid): readonly Fault[] {
  return error.errors.length > 0 ? error.errors : [{ path: '', message: error.message }]
}

/** `Invalid` of what zod found wrong in a part of the request: how much that is, and the first of it. */
export function invalidInput(where: string, error: z.core.$ZodError): Invalid {
  const issues = issuesOf(error)
  const errors = issues
    .slice(0, faultsMax)
    .map((issue) => ({ path: textOfPath(issue.path), message: messageOf(issue) }))
  const count = issues.length === 1 ? 'one fault' : `${issues.length} faults`
  const [first] = errors
  const told = [first?.path, first?.message].filter((text) => text !== undefined && text !== '').join(' ')
  return new Invalid(`${where} ${where.endsWith('s') ? 'have' : 'has'} ${count}: ${told}`, errors)
}

/** Of a key that isn't allowed zod says so only; why stands inside. */
function messageOf(issue: z.core.$ZodIssue): string {
  return issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message
}

/** `limits[2].rate`. */
function textOfPath(path: readonly PropertyKey[]): string {
  return path.map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i ? '.' : ''}${String(part)}`)).join('')
}
