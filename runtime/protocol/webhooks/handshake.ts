/** What a sender asks when an address is registered with it, and wants to have back. Pure. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Handshake } from '../../topology/webhooks/config.ts'
import { keyAt } from '../lane.ts'

/** The text to send back; `refused`: it may not be asked that way. */
export type Answer = { readonly echo: string } | { readonly refused: string }

/** More than any sender uses: Microsoft's are a few hundred bytes. */
const echoMaxBytes = 4096
/** A body that is larger is no question. */
const questionMaxBytes = 65_536

/**
 * What a query asks; null when it asks nothing.
 * @param tokens the verify tokens of the node: the sender has to know one where the document says so
 */
export function answerToQuery(
  handshake: Handshake | null,
  query: URLSearchParams,
  tokens: readonly string[],
): Answer | null {
  if (handshake?.in !== 'query') return null
  const [echo, ...others] = query.getAll(handshake.name)
  if (echo === undefined) return null
  if (others.length > 0) return { refused: `the query has several ${handshake.name}` }
  if (handshake.token === null) return bounded(echo)
  const [token, ...more] = query.getAll(handshake.token)
  if (token === undefined || more.length > 0 || !tokens.some((own) => isSame(own, token)))
    return { refused: `${handshake.token} is not the verify token of this webhook` }
  return bounded(echo)
}

/** What a body asks; null when it asks nothing, which is what deliveries do. */
export function answerToBody(handshake: Handshake | null, body: Uint8Array): Answer | null {
  if (handshake?.in !== 'body' || body.byteLength > questionMaxBytes) return null
  const at = (tokens: readonly string[]) => keyAt({ kind: 'pointer', tokens }, { id: '', key: null, headers: {}, body })
  if (!Object.entries(handshake.when).every(([field, value]) => at([field]) === value)) return null
  const echo = at(handshake.tokens)
  return echo === null ? null : bounded(echo)
}

function bounded(echo: string): Answer {
  const bytes = Buffer.byteLength(echo)
  return bytes <= echoMaxBytes ? { echo } : { refused: `the challenge has ${bytes} bytes, of at most ${echoMaxBytes}` }
}

function isSame(one: string, other: string): boolean {
  const hash = (text: string): Uint8Array => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(one), hash(other))
}
