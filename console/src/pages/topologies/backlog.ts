import type { Depth } from '../../live/hear.ts'

/** All that is in the queues of a topology; null: nothing was told of it yet. */
export function backlogOf(nodes: Readonly<Record<string, Depth>> | undefined): number | null {
  if (nodes === undefined) return null
  return Object.values(nodes).reduce((sum, { pending, inFlight, replies }) => sum + pending + inFlight + replies, 0)
}
