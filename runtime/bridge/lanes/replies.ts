import type { Delivery } from '../../queue/deliver/delivery.ts'
import type { Queues } from '../../queue/open.ts'
import { firstUnsplitReply, lastSequence } from '../../queue/streams.ts'
import { isEventNode, isOrdered } from '../../topology/plan.ts'
import type { Plan, PlanNode } from '../../topology/plan.ts'
import { untilTrue } from '../gate.ts'
import { isEverywhere } from './turnover.ts'

/**
 * I5: what a node forwards goes straight to its only follower, and would overtake what lies in the splitter of the messages before it.
 * So a node that keeps an order waits for its splitter:
 *
 * - after a split: the next message of the lane is only taken when the replies stored so far are split; other lanes may store more;
 * - under a new plan: an older one may have had more followers, so that everything went through the splitter. Each message waits until
 *   what was stored before it is split, as long as a bridge may go by an older plan. When all live ones have this one, and another
 *   message of the same lane has waited, nothing of an older plan can be unsplit before those that follow: it costs nothing more.
 */
export interface Replies {
  /** Resolves when all that is stored now is split; rejects with `Stopped` when the signal aborts. */
  split(signal: AbortSignal): Promise<void>
  /** True while an older plan may have stored replies of messages before this one. */
  mayPrecede(delivery: Delivery): boolean
  /** Resolves when these are split; rejects with `Stopped` when the signal aborts. */
  splitBefore(delivery: Delivery, signal: AbortSignal): Promise<void>
}

/** How soon it is looked whether a reply has been split, and how seldom at most. */
const splitLook = { firstMs: 5, maxMs: 500 }
/** How often, at most, bridges are asked for the plan that they have. */
const bridgesEveryMs = 250

interface RepliesDeps {
  readonly queues: Pick<Queues, 'config' | 'connection'>
  readonly bridgeId: string
}

/** Null for a node that keeps no order, or whose every message goes through the splitter. */
export function repliesOf({ queues, bridgeId }: RepliesDeps, plan: Plan, node: PlanNode): Replies | null {
  if (!isForwardedInOrder(plan, node)) return null
  const { connection } = queues
  const doneLanes = new Set<string>()
  const allHavePlan = onceTrue(() => isEverywhere(queues, plan, bridgeId), bridgesEveryMs)
  const split = async (signal: AbortSignal): Promise<void> => {
    let upTo: number | null = null
    const isSplit = async (): Promise<boolean> => {
      const first = await firstUnsplitReply(connection, plan.topologyId, node.id)
      if (first === null || (upTo !== null && first > upTo)) return true
      upTo ??= await lastSequence(connection, plan.topologyId)
      return false
    }
    await untilTrue(isSplit, splitLook, signal)
  }
  return {
    split,
    mayPrecede: ({ subject }) => plan.revision > 1 && !doneLanes.has(laneOf(subject)),
    async splitBefore({ subject }, signal) {
      // Asked first: what a bridge stores meanwhile by an older plan is not seen otherwise.
      const isLast = await allHavePlan()
      await split(signal)
      if (isLast) doneLanes.add(laneOf(subject))
    },
  }
}

function isForwardedInOrder({ nodes }: Plan, node: PlanNode): boolean {
  if (node.followers.length !== 1 || node.type === 'batch') return false
  return isEventNode(node)
    ? nodes.some((other) => node.followers.includes(other.id) && isOrdered(other))
    : isOrdered(node)
}

/** Lane and generation, whatever the origin. */
const laneOf = (subject: string): string => subject.split('.').slice(3).join('.')

/** Asks until the answer is true, and not oftener than so; between two questions, and when one fails, it is false. */
function onceTrue(ask: () => Promise<boolean>, everyMs: number): () => Promise<boolean> {
  let isTrue = false
  let askedAt = -Infinity
  return async () => {
    if (isTrue || performance.now() - askedAt < everyMs) return isTrue
    askedAt = performance.now()
    return (isTrue = await ask().catch(() => false))
  }
}
