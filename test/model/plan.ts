import type { CallResult } from '../../runtime/call/decide.ts'
import type { Message } from '../../runtime/protocol/message.ts'
import { compilePlan } from '../../runtime/topology/compile.ts'
import type { Plan, WorkerNode } from '../../runtime/topology/plan.ts'
import type { TopologyDocument } from '../../runtime/topology/schema.ts'
import type { Script } from './truth.ts'

/**
 * start → list → order → last     list: batch; order, last: ordered
 *             ↘ fan → last        fan: three at once, two followers, with delays
 *                   ↘ side        side: two at once, with delays
 */
const once = { attempts: 1 }
const delayed = { attempts: 3, backoff: 'fixed', baseMs: 1, maxMs: 1 } as const
const document = {
  name: 'model',
  nodes: [
    { name: 'start', type: 'start' },
    { name: 'list', type: 'batch', worker: 'w', emit: 'records', retry: once },
    { name: 'order', type: 'custom', worker: 'w', retry: once },
    { name: 'fan', type: 'custom', worker: 'w', prefetch: 3, retry: delayed },
    { name: 'last', type: 'custom', worker: 'w', retry: once },
    { name: 'side', type: 'custom', worker: 'w', prefetch: 2, retry: delayed },
  ],
  edges: [
    { from: 'start', to: 'list' },
    { from: 'list', to: 'order' },
    { from: 'list', to: 'fan' },
    { from: 'order', to: 'last' },
    { from: 'fan', to: 'last' },
    { from: 'fan', to: 'side' },
  ],
} as TopologyDocument

export const topologyId = 'model'
const nodeIds = new Map(document.nodes.map(({ name }) => [name, name]))
export const modelPlan: Plan = compilePlan({ topologyId, revision: 1, document, nodeIds, stored: new Map() })

/** What a worker answers; a script says what the splitter has to make of it. */
export interface Reply {
  readonly result: CallResult
  readonly script: Script | null
}

const reply = (status: number, headers: Record<string, string> = {}, body = ''): Reply => ({
  result: { kind: 'reply', status, headers, body: Buffer.from(body) },
  script: null,
})
const page = { 'content-type': 'application/json', 'sluice-emit': 'page' }
const records = { 'content-type': 'application/json', 'sluice-emit': 'records' }
const body = (count: number): string => JSON.stringify(Array.from({ length: count }, (_, n) => n))

/** Every output to each of the receivers; indices as I2 says. */
function spread(count: number, followers: readonly string[], receivers = followers, next = false): Script {
  const messages = Array.from({ length: count }).flatMap((_, output) =>
    receivers.map((to) => ({ to, index: output * followers.length + followers.indexOf(to) })),
  )
  return { messages, next }
}

/** `choice` 0 is the quiet life: everything ends soon and well. */
export function answer(node: WorkerNode, message: Message, choice: number): Reply {
  const followers = node.followers
  switch (node.name) {
    case 'list':
      return listed(message, followers, choice)
    case 'order':
      return [
        reply(200, page, '1'),
        { ...reply(200, records, body(2)), script: spread(2, followers) },
        { ...reply(200, records, body(11)), script: spread(11, followers) },
        reply(204),
        reply(422),
      ][choice % 5] as Reply
    case 'fan':
      return [
        { ...reply(200, { ...page, 'sluice-route': 'side' }, '1'), script: spread(1, followers, ['side']) },
        { ...reply(200, page, '1'), script: spread(1, followers) },
        { ...reply(200, { ...records, 'sluice-route': 'last' }, body(2)), script: spread(2, followers, ['last']) },
        reply(204),
        reply(500),
        reply(422),
      ][choice % 6] as Reply
    default:
      return [reply(204), reply(204), reply(500), reply(422)][choice % 4] as Reply
  }
}

function listed(message: Message, followers: readonly string[], choice: number): Reply {
  if (choice % 9 === 8) return reply(choice % 2 === 0 ? 204 : 422)
  const count = [1, 2, 0, 3, 1, 2, 0, 26][choice % 9] ?? 1
  const next = choice % 3 === 2 && message.page < 2
  const headers = next ? { ...records, 'sluice-cursor': `page ${message.page + 1}` } : records
  return { ...reply(200, headers, body(count)), script: spread(count, followers, followers, next) }
}
