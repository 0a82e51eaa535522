import { hash } from 'node:crypto'

/**
 * Id of a reading: all pages that a batch node reads for one message, also over a replay of a page that was edited before, which
 * gives the message another id. 22 characters that are safe in a key. Pure.
 */
export function readingOf(nodeId: string, messageId: string): string {
  return shortHash(`reading:${nodeId}/${baseOf(messageId)}`)
}

/** A message's id without what edited replays added to it. */
export const baseOf = (messageId: string): string => messageId.replace(/(?:!\d+)+$/, '')

/** Id of the watermark of a node for a tenant (null: for none), in the same form. Pure. */
export function watermarkIdOf(topologyId: string, nodeId: string, tenant: string | null): string {
  return shortHash(`watermark:${JSON.stringify([topologyId, nodeId, tenant])}`)
}

/** What a message carries of a cursor that a page was read with, in the same form. Pure. */
export const cursorMark = (cursor: string): string => shortHash(`cursor:${cursor}`)

/**
 * The mark that the message carries which asks for `page` with this cursor: Brent's way to find a cycle. The cursor of each page whose
 * number is a power of two is kept until the next such page, so a source that goes round is found after three times as many pages as
 * lead into the cycle and around it, at most. Pure.
 */
export function nextMark(mark: string | null, page: number, cursor: string): string {
  const isPowerOfTwo = Number.isInteger(Math.log2(page))
  return mark === null || isPowerOfTwo ? cursorMark(cursor) : mark
}

const shortHash = (text: string): string => hash('sha256', text, 'buffer').subarray(0, 16).toString('base64url')
