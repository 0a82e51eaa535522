/**
 * Whether a webhook's delivery was signed with one of a node's secrets. Pure; compares without telling by its duration how much is
 * alike. Each scheme is as its owner publishes it; docs/webhooks.md links them.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { Verification } from '../../topology/webhooks/config.ts'
import { signingKey } from '../native.ts'

/** A delivery, as far as it is signed. */
export interface Signed {
  /** Of a header by its name in lower case, its bytes as Latin-1, as HTTP servers hand them over. */
  readonly header: (name: string) => string | undefined
  readonly body: Uint8Array
  /** Epoch milliseconds. */
  readonly atMs: number
}

/** What has to be equal: MACs that a sender with one of the secrets would have sent, and those that came. */
interface Claim {
  readonly expected: readonly Uint8Array[]
  readonly given: readonly (Uint8Array | null)[]
}

/** Why a delivery is refused, without anything secret; null when one of the secrets has signed it. */
export function refusalOf(verify: Verification, secrets: readonly string[], signed: Signed): string | null {
  const claim = claimOf(verify, secrets, signed)
  if (typeof claim === 'string') return claim
  if (isProven(claim)) return null
  if (verify.scheme === 'token') return 'the token is not the one that is set as the secret of this webhook'
  return 'the signature was not made with the secret of this webhook, or of another body'
}

function isProven({ expected, given }: Claim): boolean {
  return given.some((mac) => mac !== null && expected.some((own) => isEqual(own, mac)))
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.byteLength === other.byteLength && timingSafeEqual(one, other)
}

function claimOf(verify: Verification, secrets: readonly string[], signed: Signed): Claim | string {
  switch (verify.scheme) {
    case 'standard-webhooks':
      return standardWebhooks(verify.toleranceSeconds, secrets, signed)
    case 'stripe':
      return stripe(verify.toleranceSeconds, secrets, signed)
    case 'slack':
      return slack(verify.toleranceSeconds, secrets, signed)
    case 'github':
      return plainHmac({ ...hmacDefaults, header: 'x-hub-signature-256', prefix: 'sha256=' }, secrets, signed)
    case 'shopify':
      return plainHmac({ ...hmacDefaults, header: 'x-shopify-hmac-sha256', encoding: 'base64' }, secrets, signed)
    case 'hmac':
      return plainHmac(verify, secrets, signed)
    case 'token':
      return sharedToken(verify, secrets, signed)
  }
}

type Hmac = Extract<Verification, { scheme: 'hmac' }>

const hmacDefaults = { scheme: 'hmac', algorithm: 'sha256', encoding: 'hex', prefix: '' } as const

/** GitHub, Shopify, and whoever signs the body alone. */
function plainHmac(
  { header, algorithm, encoding, prefix }: Hmac,
  secrets: readonly string[],
  signed: Signed,
): Claim | string {
  const text = signed.header(header)
  if (text === undefined) return `the header ${header} is missing`
  if (!text.startsWith(prefix)) return `the header ${header} does not begin with ${prefix}`
  const expected = secrets.map((secret) => createHmac(algorithm, secret).update(signed.body).digest())
  return { expected, given: [bytesOf(text.slice(prefix.length), encoding)] }
}

/** Both are hashed, so that neither length nor content can be told by the time that comparing takes. */
function sharedToken(
  { header, prefix }: Extract<Verification, { scheme: 'token' }>,
  secrets: readonly string[],
  signed: Signed,
): Claim | string {
  const text = signed.header(header)
  if (text === undefined) return `the header ${header} is missing`
  // How a scheme of authorization is written makes no difference (RFC 9110).
  if (text.slice(0, prefix.length).toLowerCase() !== prefix.toLowerCase())
    return `the header ${header} does not begin with ${prefix}`
  const hash = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()
  const given = hash(Buffer.from(text.slice(prefix.length), 'latin1'))
  return { expected: secrets.map((secret) => hash(Buffer.from(secret, 'utf8'))), given: [given] }
}

/** https://www.standardwebhooks.com: `v1,<base64>`, several of them parted by spaces, over `id.timestamp.body`. */
function standardWebhooks(toleranceS: number, secrets: readonly string[], signed: Signed): Claim | string {
  const [id, timestamp, signatures] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map(signed.header)
  if (id === undefined || timestamp === undefined || signatures === undefined)
    return 'one of the headers webhook-id, webhook-timestamp, webhook-signature is missing'
  const stale = staleness(timestamp, toleranceS, signed.atMs)
  if (stale !== null) return stale
  const head = Buffer.from(`${id}.${timestamp}.`, 'latin1')
  const expected = secrets.map((secret) => macOf(signingKey(secret), head, signed.body))
  const given = signatures.split(' ').map((part) => (part.startsWith('v1,') ? bytesOf(part.slice(3), 'base64') : null))
  return { expected, given }
}

/** `Stripe-Signature: t=…,v1=…,v1=…` over `t.body`. */
function stripe(toleranceS: number, secrets: readonly string[], signed: Signed): Claim | string {
  const parts = (signed.header('stripe-signature') ?? '').split(',').map((part) => part.trim())
  const valuesOf = (key: string): string[] =>
    parts.flatMap((part) => (part.startsWith(`${key}=`) ? [part.slice(key.length + 1)] : []))
  const [timestamp, second] = valuesOf('t')
  if (timestamp === undefined || second !== undefined) return 'the header stripe-signature has to have one t=…'
  const stale = staleness(timestamp, toleranceS, signed.atMs)
  if (stale !== null) return stale
  const expected = secrets.map((secret) => macOf(Buffer.from(secret), Buffer.from(`${timestamp}.`), signed.body))
  return { expected, given: valuesOf('v1').map((text) => bytesOf(text, 'hex')) }
}

/** `X-Slack-Signature: v0=…` over `v0:timestamp:body`. */
function slack(toleranceS: number, secrets: readonly string[], signed: Signed): Claim | string {
  const timestamp = signed.header('x-slack-request-timestamp')
  const text = signed.header('x-slack-signature')
  if (timestamp === undefined || text === undefined)
    return 'x-slack-request-timestamp or x-slack-signature is missing among the headers'
  const stale = staleness(timestamp, toleranceS, signed.atMs)
  if (stale !== null) return stale
  const expected = secrets.map((secret) => macOf(Buffer.from(secret), Buffer.from(`v0:${timestamp}:`), signed.body))
  return { expected, given: [text.startsWith('v0=') ? bytesOf(text.slice(3), 'hex') : null] }
}

function macOf(key: Uint8Array, head: Uint8Array, body: Uint8Array): Uint8Array {
  return createHmac('sha256', key).update(head).update(body).digest()
}

/** A timestamp in seconds that is too old is somebody's replay; one from the future would be good for longer than it should. */
function staleness(timestamp: string, toleranceS: number, atMs: number): string | null {
  if (!/^\d{1,12}$/.test(timestamp)) return 'the timestamp is no whole number of seconds'
  const skewS = Math.round(atMs / 1_000 - Number(timestamp))
  if (Math.abs(skewS) <= toleranceS) return null
  const how = skewS > 0 ? `${skewS} s old` : `${-skewS} s in the future`
  return `the timestamp is ${how}; at most ${toleranceS} s are taken`
}

/** Null for what isn't written in this encoding. */
function bytesOf(text: string, encoding: 'hex' | 'base64'): Uint8Array | null {
  const isWell = encoding === 'hex' ? /^(?:[0-9a-f]{2})+$/i.test(text) : /^[A-Za-z0-9+/]+={0,2}$/.test(text)
  return isWell ? Buffer.from(text, encoding) : null
}
