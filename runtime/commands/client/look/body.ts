import type { PassedMessage } from '../../../client/openapi.d.ts'
import { plain } from '../../terminal/print.ts'

const previewMax = 80

/** A body in one line, cut. */
export function preview({ body, bodyBase64 }: Pick<PassedMessage, 'body' | 'bodyBase64'>): string {
  if (bodyBase64 !== undefined) return cut(`base64 ${bodyBase64}`)
  return body === undefined ? '-' : cut(plain(body))
}

const cut = (text: string): string => (text.length <= previewMax ? text : `${text.slice(0, previewMax)}…`)
