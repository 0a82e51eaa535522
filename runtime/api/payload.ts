import { Invalid } from '../errors.ts'
import { isDeep, isJson, ofGoodSize, utf8 } from './body.ts'

/** How a body is shown: JSON as JSON, other text as a string, what is neither as base64. */
export function shownBody(contentType: string, bytes: Uint8Array): { body: unknown } | { bodyBase64: string } {
  const text = utf8(bytes)
  if (text === null) return { bodyBase64: Buffer.from(bytes).toString('base64') }
  if (!isJson(contentType) || isDeep(text)) return { body: text }
  try {
    return { body: JSON.parse(text) as unknown }
  } catch {
    // It says that it is JSON and isn't: shown as the text that it is.
    return { body: text }
  }
}

/** The bytes of an edited body. Throws `Invalid`. */
export function editedBody(
  edit: { readonly body?: unknown; readonly bodyBase64?: string | undefined },
  contentType: string,
  before: Uint8Array,
): Uint8Array {
  const { body, bodyBase64 } = edit
  if (body !== undefined && bodyBase64 !== undefined) throw fault('body', 'give either body or bodyBase64')
  if (bodyBase64 !== undefined) return Buffer.from(bodyBase64, 'base64')
  if (body === undefined) return before
  if (isJson(contentType)) return ofGoodSize(Buffer.from(JSON.stringify(body)))
  if (typeof body === 'string') return Buffer.from(body)
  throw fault('body', `the message has the content type ${contentType}: its body has to be a string, or bodyBase64`)
}

function fault(path: string, message: string): Invalid {
  return new Invalid(message, [{ path, message }])
}
