import { z } from '@hono/zod-openapi'
import { Invalid } from '../../errors.ts'
import { isStorable } from '../../store/text.ts'
import type { Place } from '../../store/queries/runs.ts'

/** Query parameters of every list. */
export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(500).default(50).openapi({ description: 'How many items at most' }),
  after: z.string().max(500).optional().openapi({ description: '`next` of the page before' }),
})

/** A page of a list; `next` is null on the last one. */
export function pageOf<T extends z.ZodType>(name: string, item: T) {
  return z.object({ items: z.array(item), next: z.string().nullable() }).openapi(`${name}Page`)
}

/** Makes a page of `limit` items from `limit + 1` rows: the row too many says that there is another page. */
export function page<Row, Item>(
  rows: readonly Row[],
  limit: number,
  show: (row: Row) => Item,
  mark: (row: Row) => string,
): { items: Item[]; next: string | null } {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return { items: shown.map(show), next: rows.length > limit && last !== undefined ? encode(mark(last)) : null }
}

export function afterText(after: string | undefined): string | null {
  return after === undefined ? null : decode(after)
}

export function afterNumber(after: string | undefined): number | null {
  if (after === undefined) return null
  const text = decode(after)
  if (!/^\d{1,9}$/.test(text)) throw strange()
  return Number(text)
}

/** The other side of `afterNumber`. */
export function numberMark(n: number): string {
  return encode(String(n))
}

/** The other side of `afterText`. */
export function textMark(text: string): string {
  return encode(text)
}

export function markOf(place: Place): string {
  return `${place.at.getTime()}/${place.id}`
}

/** A number and a text, such as a position within what has that name. */
export interface Numbered {
  readonly number: number
  readonly text: string
}

export function markNumbered({ number, text }: Numbered): string {
  return `${number}/${text}`
}

export function afterNumbered(after: string | undefined): Numbered | null {
  if (after === undefined) return null
  const [, number, text] = /^(\d{1,9})\/(.+)$/s.exec(decode(after)) ?? []
  if (number === undefined || text === undefined || !isStorable(text)) throw strange()
  return { number: Number(number), text }
}

export function afterPlace(after: string | undefined): Place | null {
  if (after === undefined) return null
  const [, ms, id] = /^(\d{1,15})\/(.+)$/.exec(decode(after)) ?? []
  if (ms === undefined || id === undefined) throw strange()
  return { at: new Date(Number(ms)), id }
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64url')
}

function decode(after: string): string {
  const text = Buffer.from(after, 'base64url').toString()
  if (encode(text) !== after || text === '') throw strange()
  return text
}

/** For an `after` that is no `next` of the list. */
export function strange(): Invalid {
  return new Invalid('`after` has to be the `next` of a page', [
    { path: 'after', message: 'not a `next` of this list' },
  ])
}
