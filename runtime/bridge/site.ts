import type { PreparedNode } from '../protocol/native.ts'
import type { Guard } from '../queue/publish/guard.ts'
import type { Publisher } from '../queue/publish/publisher.ts'
import type { Log } from '../telemetry/log.ts'
import type { EventNode, Plan, PlanNode } from '../topology/plan.ts'
import type { Caller } from './caller.ts'
import type { Cancelled } from './cancelled.ts'
import type { Gate } from './gate.ts'
import type { HighWater } from './high-water.ts'
import type { NodeMeter } from './look/meters.ts'
import type { Lanes } from './lanes/lanes.ts'
import type { Order } from './lanes/order.ts'
import type { Reading } from './paging/reading.ts'
import type { Replies } from './lanes/replies.ts'

/** How work is stopped, in two steps. */
export interface Stop {
  /** Begin nothing new, give back what waits; calls and settlements that are under way go on. */
  readonly soon: AbortSignal
  /** Give up on everything. */
  readonly now: AbortSignal
}

/** What every hop of a process uses. */
export interface Ports {
  readonly guard: Guard
  readonly publisher: Publisher
  readonly highWater: HighWater
  readonly cancelled: Cancelled
  readonly reading: Reading
  readonly log: Log
}

/** Where an event node's hops happen. */
export interface EventSite {
  readonly kind: 'event'
  readonly plan: Plan
  readonly node: EventNode
  readonly lanes: Lanes
  /** Null unless what it forwards must not overtake what it stored to be split. */
  readonly replies: Replies | null
  /** Closed while the node or its topology is paused. */
  readonly gate: Gate
  readonly meter: NodeMeter
  readonly ports: Ports
}

/** Where a worker node's hops happen: the node as its plan has it, and how to call its worker. */
export interface WorkerSite {
  readonly kind: 'worker'
  readonly plan: Plan
  readonly prepared: PreparedNode
  readonly lanes: Lanes
  /** Null while the node has one generation of lanes, and doesn't block. */
  readonly order: Order | null
  /** Null unless what it forwards must not overtake what it stored to be split. */
  readonly replies: Replies | null
  /** Closed while the node or its topology is paused, or the node must not call. */
  readonly gate: Gate
  readonly meter: NodeMeter
  readonly ports: Ports
  readonly caller: Caller
  /** Pauses the node on all bridges. */
  pause(reason: string): Promise<void>
}

export const nodeOf = (site: EventSite | WorkerSite): PlanNode =>
  site.kind === 'event' ? site.node : site.prepared.node
