/** Header values and bodies, as HTTP can carry them. */

const plain = /^(?:[\x21-\x24\x26-\x7e](?:[\x20-\x24\x26-\x7e]*[\x21-\x24\x26-\x7e])?)?$/
const notPlain = /[^\x21\x23\x24\x26-\x7e]/gu
const percentRun = /(?:%[0-9a-f]{2})+/gi
const utf8 = new TextEncoder()
const fromUtf8 = new TextDecoder('utf-8', { fatal: true })

/** Percent-encodes a value that a header can't carry as it is, byte by byte of its UTF-8, as the CloudEvents HTTP binding does. */
export function encodeHeader(value: string): string {
  if (plain.test(value)) return value
  return value.replace(notPlain, (character) => Array.from(utf8.encode(character), hexByte).join(''))
}

/** The reverse of `encodeHeader`; sequences that aren't UTF-8 are left as they are. */
export function decodeHeader(value: string): string {
  if (!value.includes('%')) return value
  return value.replace(percentRun, (run) => {
    try {
      return decodeURIComponent(run)
    } catch {
      return run
    }
  })
}

function hexByte(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
}

/** Text of a body; throws a TypeError when it isn't UTF-8. */
export function decodeText(bytes: Uint8Array): string {
  return fromUtf8.decode(bytes)
}

/** `application/json` and everything that ends in `+json`. */
export function isJson(contentType: string | null): boolean {
  if (contentType === null) return false
  if (contentType === 'application/json') return true
  const type = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  return type === 'application/json' || type.endsWith('+json')
}

/** The whole body, or null when it is longer than `cap` bytes. A length that is announced is trusted: HTTP servers enforce it. */
export async function readBody(message: Request | Response, cap: number): Promise<Uint8Array<ArrayBuffer> | null> {
  const announced = message.headers.get('content-length')
  if (announced === null || message instanceof Response) return readStream(message.body, cap)
  return Number(announced) > cap ? null : new Uint8Array(await message.arrayBuffer())
}

async function readStream(
  stream: ReadableStream<Uint8Array> | null,
  cap: number,
): Promise<Uint8Array<ArrayBuffer> | null> {
  if (stream === null) return new Uint8Array(0)
  const reader = stream.getReader()
  const chunks: Uint8Array[] = []
  let length = 0
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    length += chunk.value.byteLength
    if (length > cap) {
      await reader.cancel()
      return null
    }
    chunks.push(chunk.value)
  }
  return joined(chunks, length)
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.byteLength
  }
  return whole
}

/** Milliseconds that a Retry-After header asks for: seconds or an HTTP date; undefined when absent or unreadable. */
export function retryAfterMs(value: string | null): number | undefined {
  if (value === null) return undefined
  if (/^\d+$/.test(value.trim())) return Number(value) * 1000
  const at = Date.parse(value)
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now())
}
