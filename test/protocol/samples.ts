import type { Message } from '../../runtime/protocol/message.ts'
import { untried } from '../../runtime/protocol/message.ts'
import { nodeDefaults, retryDefaults } from '../../runtime/topology/plan.ts'
import type { Plan, WorkerNode } from '../../runtime/topology/plan.ts'

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
export const textOf = (body: Uint8Array): string => new TextDecoder().decode(body)

export function sampleMessage(fields: Partial<Message> = {}): Message {
  return {
    id: 'm1',
    run: 'r1',
    from: 'begin',
    created: '2026-01-01T00:00:00.000Z',
    ...untried,
    contentType: 'application/json',
    body: bytes('{"n":1}'),
    ...fields,
  }
}

export function sampleNode(fields: Partial<WorkerNode> = {}): WorkerNode {
  return {
    id: 'node-1',
    name: 'normalise',
    type: 'custom',
    worker: 'shop',
    uses: 'normalise',
    path: '/nodes/normalise',
    service: null,
    followers: ['node-2'],
    settings: null,
    emit: { kind: 'page' },
    retry: retryDefaults,
    partitionKey: null,
    generation: 0,
    past: [],
    ...nodeDefaults,
    ...fields,
  }
}

/** A plan of this node and leaves named a, b, c, … with the ids of its followers. */
export function samplePlan(node: WorkerNode): Plan {
  const leaves = node.followers.map((id, index) => sampleNode({ id, name: 'abcdefgh'.charAt(index), followers: [] }))
  return { topologyId: 't1', name: 'orders', revision: 3, nodes: [node, ...leaves] }
}
