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

const shortHash = (text: string): string => hash('sha256', text, 'buffer').subarray(0, 16).toString('base64url')
