import { Invalid, Unavailable, textOf } from '../errors.ts'

/** Codes of postgres.js and of sockets that mean: the server wasn't reached, or it hung up. */
const connectionCodes = new Set([
  'CONNECT_TIMEOUT',
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECTION_DESTROYED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
])

/** SQLSTATE classes and codes under which a later try can work: connection, log-in, resources, shutdown, start-up, time-outs. */
const passing = /^(08|28|3D|53|57P|57014|58|25P03|55P03|40001|40P01|25006)/

/** The SQLSTATE or socket code of an error, looked for along its causes (drizzle and node wrap them). */
function codeOf(error: unknown): string | null {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    const code = (at as { code?: unknown }).code
    if (typeof code === 'string') return code
  }
  return null
}

/** A row that this one refers to is gone. */
export function isForeignKeyViolation(error: unknown): boolean {
  return codeOf(error) === '23503'
}

export function isUniqueViolation(error: unknown): boolean {
  return codeOf(error) === '23505'
}

/** It took longer than it may. */
export function isStatementTimeout(error: unknown): boolean {
  return codeOf(error) === '57014'
}

/** What a failed query means for its caller: `Unavailable` when Postgres is away, `Invalid` for text it can't store. */
export function consequenceOf(error: unknown): unknown {
  // It says already what is away; that may be another part, with a socket's code of its own.
  if (error instanceof Unavailable) return error
  const code = codeOf(error)
  if (code === null) return error
  if (connectionCodes.has(code) || passing.test(code))
    return new Unavailable('postgres', `Postgres can't be used now (${code}): ${deepestText(error)}`, { cause: error })
  if (code === '22021' || code === '22P05')
    return new Invalid('a text holds a NUL or broken Unicode, which Postgres cannot store', [], { cause: error })
  return error
}

function deepestText(error: unknown): string {
  let at = error
  while (at instanceof Error && at.cause instanceof Error) at = at.cause
  return textOf(at)
}
