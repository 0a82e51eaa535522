/** Standard Webhooks signatures (https://www.standardwebhooks.com), with WebCrypto alone. */

const toleranceMs = 5 * 60_000
const utf8 = new TextEncoder()

type HmacKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>

/** Says why a request is refused, or null when one of the keys has signed it. */
export type Verify = (headers: Headers, body: Uint8Array, names: readonly string[]) => Promise<string | null>

/**
 * A check for these secrets; several while one is being replaced. What follows `whsec_` is base64, as Standard Webhooks has
 * it; a secret without that prefix is taken as it is. Throws TypeError for one that can't be read.
 */
export function verifier(secrets: readonly string[]): Verify {
  const raw = secrets.map(keyBytes)
  let keys: Promise<HmacKey[]> | undefined
  return async (headers, body, names) => {
    const id = headers.get('webhook-id')
    const timestamp = headers.get('webhook-timestamp')
    const signatures = headers.get('webhook-signature')
    if (id === null || timestamp === null || signatures === null) return 'The request carries no signature.'
    const stale = staleness(timestamp)
    if (stale !== null) return stale
    // Imported at the first call: some runtimes allow no asynchronous work before a request.
    keys ??= Promise.all(raw.map(importKey))
    if (!(await anyMatches(await keys, signatures, signed(id, timestamp, body))))
      return 'No secret of this worker has made the signature.'
    return names.includes(nodeOf(id))
      ? null
      : `The request was signed for node ${nodeOf(id) || '(none)'}, not for ${names.join(' or ')}.`
  }
}

function staleness(timestamp: string): string | null {
  const skewMs = Math.abs(Date.now() - Number(timestamp) * 1000)
  if (skewMs <= toleranceMs) return null
  return Number.isNaN(skewMs)
    ? 'The timestamp is not a number.'
    : 'The clocks of bridge and worker differ by more than 5 minutes.'
}

/** The id is `{message}@{node}`, perhaps with `#page` or `!replay` after it. */
function nodeOf(id: string): string {
  return /^[a-z0-9-]*/.exec(id.slice(id.lastIndexOf('@') + 1))?.[0] ?? ''
}

function signed(id: string, timestamp: string, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = utf8.encode(`${id}.${timestamp}.`)
  const whole = new Uint8Array(head.byteLength + body.byteLength)
  whole.set(head)
  whole.set(body, head.byteLength)
  return whole
}

async function anyMatches(
  keys: readonly HmacKey[],
  signatures: string,
  content: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  for (const part of signatures.split(' ')) {
    const signature = part.startsWith('v1,') ? bytesOfBase64(part.slice(3)) : null
    if (signature === null) continue
    for (const key of keys) if (await crypto.subtle.verify('HMAC', key, signature, content)) return true
  }
  return false
}

function importKey(bytes: Uint8Array<ArrayBuffer>): Promise<HmacKey> {
  return crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify'])
}

function keyBytes(secret: string): Uint8Array<ArrayBuffer> {
  const bytes = secret.startsWith('whsec_') ? bytesOfBase64(secret.slice('whsec_'.length)) : utf8.encode(secret)
  if (bytes !== null && bytes.byteLength > 0) return bytes
  throw new TypeError('worker(): the secret is empty, or what follows whsec_ is not base64')
}

function bytesOfBase64(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
  } catch {
    return null
  }
}
