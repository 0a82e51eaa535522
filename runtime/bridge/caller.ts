import type { Showing } from '../call/breaker/breaker.ts'
import type { Change, Health } from '../call/breaker/circuit.ts'
import { waitFor } from '../call/breaker/line.ts'
import type { Wait } from '../call/breaker/line.ts'
import { NodeBreaker } from '../call/breaker/node-breaker.ts'
import { nothing, weighForNode } from '../call/breaker/weigh.ts'
import { callWorker, held } from '../call/call.ts'
import type { Called } from '../call/call.ts'
import type { Instances } from '../call/instances.ts'
import { requestOf } from '../call/request.ts'
import type { Message } from '../protocol/message.ts'
import type { PreparedNode } from '../protocol/native.ts'
import type { WorkerNode } from '../topology/plan.ts'

/** Makes one call as soon as the breakers let it, waiting by `wait`. Rejects as that does, and with nothing else. */
export type Caller = (message: Message, tries: Try, sequence: number, wait: Wait) => Promise<Called>

/** What a call has to know of those before it. */
interface Try {
  /** 1-based number of the call. */
  readonly attempt: number
  /** To be called alone. */
  readonly isSuspect: boolean
}

/** A breaker of this bridge has another state. */
export type HealthChange =
  | ({ readonly kind: 'instance'; readonly worker: string; readonly url: string } & Change)
  | ({ readonly kind: 'node'; readonly node: string } & Change)

/** A worker, and the key that signs its calls. */
export interface Known {
  /** Null: it can't be used. */
  readonly instances: Instances | null
  readonly key: Uint8Array | null
  /** Why it can't be used; null: it can. */
  readonly unusable: string | null
}

/** How nodes call their workers: each through a breaker of its own. */
export interface Callers {
  /** `mayCall` is asked right before each call, perhaps after a wait: the node may be paused, or prepared anew. */
  readonly callerOf: (prepared: PreparedNode, mayCall: () => boolean) => Caller
  /** Breakers of nodes of this worker are closed: its addresses are others now. */
  readonly workerMoved: (name: string) => void
  /** The node is gone: its breaker is closed, and not told of any more. What is under way goes on. */
  readonly forget: (nodeId: string) => void
  /** Nodes whose breaker isn't closed. */
  readonly nodes: () => (Health & { readonly node: string })[]
  readonly close: () => void
}

interface CallersDeps {
  /** Null: nobody knows it, or it can't be called. */
  readonly workerOf: (name: string) => Known | Promise<Known | null>
  /** Open calls are given up when it aborts. */
  readonly cut: AbortSignal
  readonly onHealth: (change: HealthChange) => void
}

interface WatchedNode {
  readonly breaker: NodeBreaker
  readonly worker: string
  readonly path: string
}

export function openCallers(deps: CallersDeps): Callers {
  const watched = new Map<string, WatchedNode>()
  const breakerOf = ({ id, worker, path }: WorkerNode): NodeBreaker => {
    const known = watched.get(id)
    const breaker = known?.breaker ?? new NodeBreaker((change) => deps.onHealth({ kind: 'node', node: id, ...change }))
    if (known !== undefined && (known.worker !== worker || known.path !== path)) breaker.reset()
    watched.set(id, { breaker, worker, path })
    return breaker
  }
  return {
    callerOf: (prepared, mayCall) => makeCaller(deps, prepared, breakerOf(prepared.node), mayCall),
    workerMoved(name) {
      for (const { worker, breaker } of watched.values()) if (worker === name) breaker.reset()
    },
    forget(nodeId) {
      watched.get(nodeId)?.breaker.reset()
      watched.delete(nodeId)
    },
    nodes: () => [...watched].flatMap(([node, { breaker }]) => (breaker.isClosed ? [] : [{ node, ...breaker.health }])),
    close() {
      for (const { breaker } of watched.values()) breaker.close()
    },
  }
}

function makeCaller(
  { workerOf, cut }: CallersDeps,
  prepared: PreparedNode,
  breaker: NodeBreaker,
  mayCall: () => boolean,
): Caller {
  const { node } = prepared
  const turn = (signal: AbortSignal) => breaker.turn(signal)
  return async (message, { attempt, isSuspect }, sequence, wait) => {
    const pass = breaker.take() ?? (await waitFor(wait, turn))
    if (pass === null) return held(breaker.health.reason ?? 'the node waits for its turn')
    let showing: Showing = nothing
    try {
      const found = workerOf(node.worker)
      const known = found instanceof Promise ? await found : found
      const request = () => requestOf(prepared, message, attempt, sequence, known?.key ?? null)
      const calling = { message: message.id, isSuspect, request, wait, mayCall, cut }
      const called = await callWorker(known?.instances ?? null, calling, known?.unusable)
      if (!cut.aborted) showing = weighForNode(called.result, node)
      return called
    } finally {
      breaker.end(pass, showing, message.id)
    }
  }
}
