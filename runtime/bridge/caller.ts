import type { Showing } from '../call/breaker/breaker.ts'
import type { Change, Health } from '../call/breaker/circuit.ts'
import { waitFor } from '../call/breaker/line.ts'
import type { Wait } from '../call/breaker/line.ts'
import { NodeBreaker } from '../call/breaker/node-breaker.ts'
import { nothing, weighForNode } from '../call/breaker/weigh.ts'
import { callWorker, held, putOff } from '../call/call.ts'
import type { Called } from '../call/call.ts'
import type { Instances } from '../call/instances.ts'
import { requestOf } from '../call/request.ts'
import { Used } from './limits/used.ts'
import { waitText } from './limits/words.ts'
import type { Counted } from '../limiter/keys.ts'
import type { Call, Limiter, Pass, PutOff } from '../limiter/limiter.ts'
import type { Message } from '../protocol/message.ts'
import type { PreparedNode } from '../protocol/native.ts'
import type { Delivery, Standing } from '../queue/deliver/delivery.ts'
import { limitCostMax } from '../topology/limits/limits.ts'
import { isOrdered } from '../topology/plan.ts'
import type { WorkerNode } from '../topology/plan.ts'

/**
 * How one node calls its worker. A call is made as soon as breakers and limits let it, waiting by `waiting`; it rejects as that does, and with
 * nothing else.
 */
export interface Caller {
  call(message: Message, tries: Try, delivered: Delivered, waiting: Waiting): Promise<Called>
  /** The worker said that the service asks to wait. */
  backOff(message: Message, wait: { readonly delayMs: number; readonly retryAfterMs: number | null }): void
}

/** How the message was delivered. */
type Delivered = Pick<Delivery, 'sequence' | 'behind'>

/** How the message waits for an instance, or for a permit; how that stands is asked only when somebody wants to know. */
export type Waiting = (kind: 'turn' | 'limit', standing?: () => Standing) => Wait

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
  /** What calls counted as, by service. */
  readonly used: () => ReadonlyMap<string, number>
  readonly close: () => void
}

interface CallersDeps {
  /** Null: nobody knows it, or it can't be called. */
  readonly workerOf: (name: string) => Known | Promise<Known | null>
  readonly limiter: Limiter
  /** Open calls are given up when it aborts. */
  readonly cut: AbortSignal
  readonly onHealth: (change: HealthChange) => void
}

interface WatchedNode {
  readonly breaker: NodeBreaker
  readonly worker: string
  readonly path: string
}

interface CallerDeps extends CallersDeps {
  readonly used: Used
}

export function openCallers(given: CallersDeps): Callers {
  const used = new Used()
  const deps: CallerDeps = { ...given, used }
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
    used: () => used.all(),
    close() {
      for (const { breaker } of watched.values()) breaker.close()
    },
  }
}

function makeCaller(deps: CallerDeps, prepared: PreparedNode, breaker: NodeBreaker, mayCall: () => boolean): Caller {
  const { limiter, workerOf, cut } = deps
  const { node } = prepared
  const turn = (signal: AbortSignal) => breaker.turn(signal)
  const expect = async (): Promise<void> => (await workerOf(node.worker))?.instances?.expect()
  const soon = (): void => void expect()
  return {
    async call(message, tries, delivered, waiting) {
      const turned = breaker.take() ?? (await waitFor(waiting('turn'), turn))
      if (turned === null) return held(breaker.health.reason ?? 'the node waits for its turn')
      let showing: Showing = nothing
      try {
        const limited = limitedCall(node, message, delivered, soon)
        const leaving = leaveFor(limiter, limited, { waiting, isNamed: message.limitKey !== null })
        const leave = leaving instanceof Promise ? await leaving : leaving
        if (leave === null) return held('the node waits for a permit')
        if (leave.kind === 'put-off') return putOff(leave.delayMs)
        const called = await callWith(leave, deps, { prepared, message, tries, delivered, waiting, mayCall })
        if (!cut.aborted) showing = weighForNode(called.result, node)
        return called
      } finally {
        breaker.end(turned, showing, message.id)
      }
    },
    backOff: (message, wait) => limiter.backOff(countedCall(node, message), wait),
  }
}

function countedCall(node: WorkerNode, { limitKey, tenant }: Message): Counted {
  return { nodeId: node.id, service: node.service, who: limitKey ?? tenant }
}

/** What `countedCall` says is written out: this is made for each call, and copying an object shows in a profile. */
function limitedCall(node: WorkerNode, message: Message, { behind }: Delivered, soon?: () => void): Call {
  return {
    nodeId: node.id,
    service: node.service,
    who: message.limitKey ?? message.tenant,
    cost: node.limitCost ?? 1,
    mayLeave: !isOrdered(node),
    timesAway: message.round,
    behind,
    prefetch: node.prefetch,
    soon,
  }
}

/** While an instance rests for it: others of its worker wait meanwhile. */
const renewMs = 5_000

/** Null: there are no permits so soon, or something else came up. */
function leaveSoon(limiter: Limiter, call: Call, waiting: Waiting): Promise<Pass | null> {
  return waitFor(waiting('limit'), async (signal) => {
    const soon = AbortSignal.any([AbortSignal.timeout(renewMs), signal])
    const leave = await limiter.wait({ ...call, mayLeave: false }, soon).catch((error: unknown) => {
      if (signal.aborted) throw error
      return null
    })
    return leave?.kind === 'pass' ? leave : null
  })
}

/** Null: something else came up while it waited. */
function leaveFor(
  limiter: Limiter,
  call: Call,
  { waiting, isNamed }: { readonly waiting: Waiting; readonly isNamed: boolean },
): Pass | Promise<Pass | PutOff | null> {
  const pass = limiter.take(call)
  if (pass !== null) return pass
  const standing = (): Standing => {
    const held = limiter.heldBy(call)
    return { until: held.until, reason: waitText(held, isNamed) }
  }
  return waitFor<Pass | PutOff>(waiting('limit', standing), (signal) => limiter.wait(call, signal))
}

interface OneCall {
  readonly prepared: PreparedNode
  readonly message: Message
  readonly tries: Try
  readonly delivered: Delivered
  readonly waiting: Waiting
  readonly mayCall: () => boolean
}

/** A permit that is void by the time that an instance is there is of no use any more: then nothing is called, but for a suspect, which has another one then. */
async function callWith(pass: Pass, { limiter, workerOf, used, cut }: CallerDeps, one: OneCall): Promise<Called> {
  const { prepared, message, tries, delivered, waiting, mayCall } = one
  const leave: { pass: Pass | null } = { pass }
  const { attempt, isSuspect } = tries
  let cost: number | undefined
  let isAskingToWait = false
  try {
    const found = workerOf(prepared.node.worker)
    const known = found instanceof Promise ? await found : found
    const called = await callWorker(
      known?.instances ?? null,
      {
        message: message.id,
        isSuspect,
        request: () => requestOf(prepared, message, attempt, delivered.sequence, known?.key ?? null),
        wait: waiting('turn'),
        mayCall: () => mayCall() && leave.pass?.mayCall() === true,
        async renew() {
          leave.pass?.end(0)
          leave.pass = null
          leave.pass = mayCall()
            ? await leaveSoon(limiter, limitedCall(prepared.node, message, delivered), waiting)
            : null
          return leave.pass !== null
        },
        cut,
      },
      known?.unusable,
    )
    cost = costOf(called)
    isAskingToWait = called.result.kind === 'reply' && called.result.status === 429
    used.add(prepared.node.service, cost ?? prepared.node.limitCost ?? 1)
    return called
  } finally {
    // Who comes next is to know first that the service asks to wait.
    if (isAskingToWait) setImmediate(() => leave.pass?.end(cost))
    else leave.pass?.end(cost)
  }
}

/** What the worker says that the call has cost; undefined: nothing, or nothing that can be. Who wasn't called has cost nothing. */
function costOf({ result, instance }: Called): number | undefined {
  if (instance === null) return 0
  if (result.kind !== 'reply') return undefined
  const text = result.headers['sluice-limit-cost']?.trim() ?? ''
  return /^\d{1,5}$/.test(text) ? Math.min(Number(text), limitCostMax) : undefined
}
