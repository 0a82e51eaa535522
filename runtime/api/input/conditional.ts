import type { Context } from 'hono'
import { Invalid } from '../../errors.ts'

/** Marks what is answered with its version; a change that sends it back in `If-Match` loses no race unnoticed. */
export function setEtag(c: Context, version: number): void {
  c.header('etag', `"${version}"`)
}

/** The version that the caller wants to change; null: whatever it is at. Throws `Invalid` for a tag that isn't ours. */
export function ifMatch(c: Context): number | null {
  const tag = c.req.header('if-match')
  if (tag === undefined || tag === '*') return null
  const version = /^(?:W\/)?"(\d{1,9})"$/.exec(tag)?.[1]
  if (version === undefined) throw new Invalid(`If-Match has to be the ETag of the read, such as "3"; it is ${tag}`)
  return Number(version)
}
