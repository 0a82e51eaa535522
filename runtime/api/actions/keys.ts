import { createHash } from 'node:crypto'

/** A key of the engine's own: none that a client can send holds a NUL. */
export const ownKey = (text: string): string => `\u0000${text}`

/** The same for the same key, and for nothing else. */
export function runIdOf(topologyId: string, nodeId: string, key: string): string {
  return createHash('sha256')
    .update(JSON.stringify([topologyId, nodeId, key]))
    .digest('hex')
    .slice(0, 32)
}
