import type { TryRequest } from '../../../../../runtime/client/openapi.d.ts'
import { jsonFault } from '../../../parts/body/json-fault.ts'
import { base64Of, isJsonType } from '../../../parts/body/text.ts'

/** What is typed for a call; empty fields aren't sent. */
export interface CallDraft {
  readonly contentType: string
  readonly body: string
  /** A line each: `x-source: import` */
  readonly headers: string
  readonly tenant: string
  readonly key: string
  readonly cursor: string
  readonly watermark: string
  readonly page: string
}

export const emptyDraft: CallDraft = {
  contentType: 'application/json',
  body: '{}',
  headers: '',
  tenant: '',
  key: '',
  cursor: '',
  watermark: '',
  page: '',
}

/** Which message is sent. */
export type Captured = { readonly trash: string } | { readonly sequence: number }

type Built =
  { readonly request: TryRequest; readonly fault: null } | { readonly request: null; readonly fault: BodyFault }

interface BodyFault {
  readonly field: 'body' | 'headers'
  readonly message: string
}

/** What is sent for a message of one's own. What can't be sent at all is a fault here; the rest is for the engine to say. */
export function requestOf(draft: CallDraft): Built {
  const { contentType, body, headers, page } = draft
  const lines = headersOf(headers)
  if (lines === null) return faulty('headers', 'each line is a name, a colon and a value: x-source: import')
  const isJson = isJsonType(contentType)
  const fault = isJson && body !== '' ? jsonFault(body) : null
  if (fault !== null) return faulty('body', fault)
  const texts = (['tenant', 'key', 'cursor', 'watermark'] as const).filter((name) => draft[name] !== '')
  const request: TryRequest = {
    ...(contentType !== '' && { contentType }),
    // As it is typed: as a value its numbers would be read and written anew.
    ...(body !== '' && (isJson ? { bodyBase64: base64Of(body) } : { body })),
    ...(Object.keys(lines).length > 0 && { headers: lines }),
    ...(page !== '' && { page: Number(page) }),
    ...Object.fromEntries(texts.map((name) => [name, draft[name]])),
  }
  return { request, fault: null }
}

function faulty(field: BodyFault['field'], message: string): Built {
  return { request: null, fault: { field, message } }
}

function headersOf(text: string): Record<string, string> | null {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  const pairs = lines.map((line) => /^\s*([^:\s]+)\s*:\s*(.*?)\s*$/.exec(line))
  if (pairs.some((pair) => pair === null)) return null
  return Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? '', pair?.[2] ?? '']))
}
