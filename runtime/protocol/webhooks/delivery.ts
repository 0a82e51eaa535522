/** What of a webhook's delivery goes with the message. Pure. */
import type { Webhook } from '../../topology/webhooks/config.ts'
import type { Source } from '../../topology/webhooks/source.ts'
import { keyAt } from '../lane.ts'

/** A delivery, raw. */
export interface Delivery {
  /** Of a header by its name in lower case. */
  readonly header: (name: string) => string | undefined
  readonly query: URLSearchParams
  readonly body: Uint8Array
}

/** Carried from every delivery that has them. What proves the sender isn't among them. */
export const carriedHeaders: readonly string[] = [
  ...['content-encoding', 'webhook-id', 'webhook-timestamp'],
  ...['x-github-event', 'x-github-delivery', 'x-github-hook-id', 'x-github-hook-installation-target-id'],
  ...['x-shopify-topic', 'x-shopify-shop-domain', 'x-shopify-webhook-id', 'x-shopify-event-id'],
  ...['x-shopify-api-version', 'x-shopify-triggered-at', 'x-slack-retry-num', 'x-slack-retry-reason'],
]

/** The headers of the message: `webhook-id` as `x-webhook-id`. */
export function headersOf({ headers: more }: Webhook, { header }: Pick<Delivery, 'header'>): Record<string, string> {
  const found = [...carriedHeaders, ...more].flatMap((name): [string, string][] => {
    const value = header(name)
    return value === undefined ? [] : [[name.startsWith('x-') ? name : `x-${name}`, value]]
  })
  return Object.fromEntries(found)
}

/** What stands at a place; null when nothing does, or nothing that is one text. */
export function valueAt(source: Source, { header, query, body }: Delivery): string | null {
  switch (source.from) {
    case 'header':
      return header(source.name) || null
    case 'query': {
      const [value, second] = query.getAll(source.name)
      return second === undefined ? value || null : null
    }
    case 'body':
      return keyAt({ kind: 'pointer', tokens: source.tokens }, { id: '', key: null, headers: {}, body })
    case 'fixed':
      return source.value
  }
}

/** A place as people write it. */
export function textOfSource(source: Source): string {
  if (source.from === 'body') return source.tokens.map((token) => `/${token}`).join('')
  return source.from === 'fixed' ? `fixed:${source.value}` : `${source.from}:${source.name}`
}
