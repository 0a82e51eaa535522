import { decide, type CallResult, type DecideContext, type Reply, type Verdict } from '../../runtime/call/decide.ts'
import type { Message } from '../../runtime/protocol/message.ts'
import type { WorkerNode } from '../../runtime/topology/plan.ts'
import { bytes, sampleMessage, sampleNode } from '../protocol/samples.ts'

export const nowMs = Date.UTC(2026, 0, 1, 0, 1, 0)

export interface Around {
  readonly node?: Partial<WorkerNode>
  /** Names; their ids are `id-<name>`. One follower, `next`, by default. */
  readonly followers?: readonly string[]
  readonly message?: Partial<Message>
  readonly context?: Partial<Omit<DecideContext, 'node' | 'followers' | 'message'>>
}

/** A parallel node unless it says otherwise; jitter at its largest. */
export function contextOf({ node = {}, followers = ['next'], message = {}, context = {} }: Around = {}): DecideContext {
  return {
    node: sampleNode({ prefetch: 5, ...node }),
    followers: new Map(followers.map((name) => [name, `id-${name}`])),
    message: sampleMessage(message),
    attempt: 1,
    inPlaceMs: 0,
    lostInARow: 0,
    waits: 0,
    nowMs,
    random: () => 0.999_999,
    ...context,
  }
}

export function reply(status: number, headers: Record<string, string> = {}, body = ''): Reply {
  return { kind: 'reply', status, headers, body: bytes(body) }
}

export function verdictOf(result: CallResult, around: Around = {}): Verdict {
  return decide(result, contextOf(around))
}

export const ordered = { prefetch: 1 } as const
export const problemJson = { 'content-type': 'application/problem+json' } as const
