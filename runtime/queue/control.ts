import type { ServiceLimits } from '../topology/limits/limits.ts'
import type { Plan, PlanNode, WorkerAddress, WorkerNode } from '../topology/plan.ts'
import type { Message, Since } from '../protocol/message.ts'
import type { TrashedMessage } from '../protocol/outcome.ts'
import type { Uploads } from './intake/slots.ts'
import type { CursorEdit, ToldEdit, WatermarkPlace } from './delta/told.ts'
import type { Telling } from './tell/tell.ts'
import type { RunHistory } from './history/types.ts'
import type { Cell } from './limits/cells.ts'
import type { DelayedFor, Limited, LimitKey } from './limits/told.ts'
import type { BridgeLook, Question } from './look/ask.ts'
import type { Guarded } from './publish/guarded.ts'

export type { Guarded } from './publish/guarded.ts'

/** What a bridge says of itself every two seconds. */
export interface Heartbeat {
  readonly id: string
  readonly host: string
  readonly pid: number
  readonly startedAt: string
  readonly rssBytes: number
  /** Of the engine; older versions don't say. */
  readonly version?: string
  /** Revision in force by topology id; 0 for one that it stopped. */
  readonly revisions: Readonly<Record<string, number>>
  /** Revision by whose lanes it sends, by topology id: the one in force, or an older one while not all bridges have that. */
  readonly sending: Readonly<Record<string, number>>
  /** Every instance of every worker that it knows. */
  readonly instances: readonly (BreakerView & {
    readonly worker: string
    readonly url: string
    readonly inFlight: number
  })[]
  /** Nodes whose breaker isn't closed. */
  readonly nodes: readonly (BreakerView & { readonly node: string })[]
  /** Workers that it can't call at all; older versions don't say. */
  readonly troubles?: readonly WorkerTrouble[]
  /** Services of which it can't keep in NATS what it reserves; older versions don't say. */
  readonly limitsAway?: readonly string[]
  /** Fingerprint of its secret key, see secrets.ts; older versions don't say. */
  readonly secretKey?: string
}

/** Why a bridge can't call a worker: none of its instances lets calls through, or it can't be used. */
export interface WorkerTrouble {
  readonly worker: string
  readonly reason: string
  /** RFC 3339 */
  readonly since: string
  /** True while it takes no messages for it, since another bridge can call it. */
  readonly yielding: boolean
}

/** How a bridge sees an instance or a node: whether it calls. */
export interface BreakerView {
  readonly state: 'closed' | 'open' | 'probing' | 'ramping'
  /** RFC 3339: when it opened, or for a closed one when it closed. */
  readonly since: string
  /** Null when closed. */
  readonly reason: string | null
}

export interface QueueDepth {
  readonly nodeId: string
  /** Messages in the queue that no bridge holds. */
  readonly pending: number
  /** Messages held by bridges. */
  readonly inFlight: number
  /** Messages that bridges may hold at once, over all lanes. */
  readonly places: number
  /** Replies of the node that are stored and not split yet. */
  readonly replies: number
}

/** What a topology's stream holds. */
export interface Backlog {
  /** Messages that are not finished: queued, held by a bridge, delayed; a stored reply counts as one. Lags by a moment. */
  readonly messages: number
  /** Everything that is stored, finished or not. */
  readonly bytes: number
}

/** What tells whether something happened in a stream. */
export interface StreamMark {
  /** Last sequence. */
  readonly last: number
  /** What is stored, finished or not; the janitor leaves none when all is finished. */
  readonly messages: number
  readonly bytes: number
}

/** What is stored in all. */
export interface Storage {
  readonly usedBytes: number
  /** Null: the account has no limit. */
  readonly limitBytes: number | null
}

export interface StartMessage {
  readonly topologyId: string
  readonly nodeId: string
  /** Equal keys mean the same start: the second one is `known` and changes nothing. */
  readonly key: string
  readonly run: string
  readonly tenant: string | null
  readonly contentType: string
  readonly headers: Readonly<Record<string, string>>
  readonly trace: string | null
  /** The run reads everything again; default false. */
  readonly reconcile?: boolean
  readonly body: Uint8Array
}

export interface ReplayMessage {
  readonly topologyId: string
  /** Where it goes. */
  readonly nodeId: string
  /** Where it failed; left out: there. */
  readonly failedAt?: string
  readonly trashId: string
  readonly run: string
  readonly message: TrashedMessage
  /** It isn't as it failed, or goes elsewhere: it gets a new id. */
  readonly edited: boolean
  readonly body: Uint8Array
  /** Id of the bulk that does it. */
  readonly bulk?: string
}

export interface DiscardMessage {
  readonly topologyId: string
  readonly nodeId: string
  readonly trashId: string
  readonly run: string
  readonly reason: string | null
  /** `message.replay` of the row. */
  readonly replay: number
  /** Id of the bulk that does it. */
  readonly bulk?: string
}

/** What somebody decided of a Trash row. */
export interface Decided {
  readonly as: 'replayed' | 'discarded'
  /** Id of the bulk; null: a person did it. */
  readonly bulk: string | null
  /** Id that the message goes on under; null: it was discarded. */
  readonly id: string | null
}

/** A queue of a node: one generation of its lanes, its starts, or its replies. */
export interface NodeQueue {
  readonly nodeId: string
  readonly isReplies: boolean
  /** Null: it isn't made of lanes. */
  readonly generation: number | null
}

/** A queue whose reading may be wanted. */
export interface ReadQueue extends NodeQueue {
  /** Does somebody hold messages of it? */
  readonly isHeld: boolean
}

/** How far one queue of a node (a lane of its inputs, its starts, its replies) has been read. */
export interface Reading extends ReadQueue {
  /** Null: it has none, so that whatever is stored for it was read by nobody. */
  readonly consumer: string | null
  /** Sequence of the first message that isn't acked; null: there is none. */
  readonly next: number | null
  /** When that was stored; null: there is none. */
  readonly since: Date | null
  /** Of stored replies: to which nodes the first one that isn't acked leads. */
  readonly leadsTo: readonly string[]
  /** True when nothing at all is stored for it, not even what was acked. */
  readonly isBlank: boolean
}

/** A delayed message: where it is in the stream, and when (RFC 3339) it goes into its queue. */
export interface Delay {
  readonly sequence: number
  readonly at: string
  /** Until its turn at this limit; null: it failed, and is tried again. */
  readonly limit: DelayedFor | null
}

export interface Delays {
  /** By node id, the soonest first. */
  readonly nodes: ReadonlyMap<string, readonly Delay[]>
  /** False when there are more than one look reads. */
  readonly isComplete: boolean
}

/** What the bridges hold. */
export interface Looks {
  /** Heartbeats of those that live. */
  readonly live: readonly Heartbeat[]
  /** Of those that answered in time. */
  readonly looks: readonly BridgeLook[]
}

/** A message as it is stored, in a node's queue or delayed for it. */
export interface StoredMessage {
  readonly sequence: number
  /** When it came there. */
  readonly storedAt: Date
  readonly message: Message
}

export interface Peek {
  /** What bridges say that they hold of the node. */
  readonly held: ReadonlySet<number>
  /** Only what is later in the stream. */
  readonly after: number
  readonly limit: number
  readonly states: { readonly waiting: boolean; readonly held: boolean }
}

export interface Peeked {
  readonly items: readonly (StoredMessage & { readonly state: 'waiting' | 'held' })[]
  /** There may be more after these. */
  readonly more: boolean
}

export interface Readings {
  /** Last sequence of the stream, read before everything else. */
  readonly last: number
  readonly queues: readonly Reading[]
}

/** What bridges are told beside plans. */
export interface Told {
  /** Topology id → reason of every topology that is paused. */
  readonly pausedTopologies: ReadonlyMap<string, string>
  /** By name. */
  readonly workers: ReadonlyMap<string, WorkerAddress>
  /** By name. */
  readonly services: ReadonlyMap<string, ServiceLimits>
}

/**
 * What control asks of the queues. Every method may be called by several controls at once.
 * All throw `Unavailable` when NATS can't be reached.
 */
export interface ControlQueues {
  /** Makes the stream and consumers of a plan; idempotent. */
  ensure(plan: Plan): Promise<void>
  /** Hands a plan to all bridges; idempotent. */
  putPlan(plan: Plan): Promise<void>
  /** Makes all bridges stop the topology; messages stay queued; idempotent. */
  stopPlan(topologyId: string): Promise<void>
  putWorker(worker: WorkerAddress): Promise<void>
  removeWorker(name: string): Promise<void>
  /** The bridges that are alive. */
  bridges(): Promise<Heartbeat[]>
  /** Waits until every live bridge has applied the revision (0: stopped), at most `timeoutMs`. Ids of bridges. */
  awaitApplied(
    topologyId: string,
    revision: number,
    timeoutMs: number,
  ): Promise<{ applied: string[]; missing: string[] }>
  start(start: StartMessage): Promise<Guarded>
  /** Is the start with this key in the queue, or what came of it, as far as its history reaches? */
  isStarted(topologyId: string, nodeId: string, key: string): Promise<boolean>
  /**
   * Notes that a delivery with this id is taken, for 72 hours. Null: none was before; else when the first one was, which says nothing
   * of whether its start was published.
   */
  noteDelivery(id: string): Promise<Date | null>
  /** Starts whose body comes in chunks. */
  readonly uploads: Uploads
  replay(replay: ReplayMessage): Promise<Guarded>
  /** Same key as the replay of the same row: one of them wins. */
  discard(discard: DiscardMessage): Promise<Guarded>
  /** What was decided of a row, `replay` as in its message; null: nothing, or it isn't stored any more. */
  decided(topologyId: string, trashId: string, replay: number): Promise<Decided | null>
  /**
   * Makes all bridges settle what the run still has as cancelled, until it is said to be over; idempotent. `run` null: everything of
   * the topology.
   */
  cancel(topologyId: string, run: string | null): Promise<void>
  /**
   * The same for everything of the topology, and remembers what comes afterwards; idempotent. That it is to be deleted isn't forgotten
   * by a later wish.
   */
  discardAll(topologyId: string, afterwards: 'draft' | 'delete'): Promise<void>
  /** Topologies of which everything is being cancelled by `discardAll`, and what comes afterwards. */
  discards(): Promise<Map<string, 'draft' | 'delete'>>
  /** The last outcome that is stored; null: none is. */
  lastOutcome(topologyId: string): Promise<{ epoch: string; sequence: number } | null>
  /** When the first outcome after a place in the stream was stored; null: there is none. */
  outcomeAfter(topologyId: string, sequence: number): Promise<Date | null>
  /** From now on messages are handled as always; idempotent. */
  endCancel(topologyId: string, run: string | null): Promise<void>
  /** Is it being cancelled? */
  isCancelling(topologyId: string, run: string | null): Promise<boolean>
  /** The runs of a topology that are; null among them: all of it is. */
  cancelling(topologyId: string): Promise<ReadonlySet<string | null>>
  /** How far queues of nodes have been read, be these in the plan or not: those that have a consumer, and those of `ever`. */
  readings(topologyId: string, isWanted: (queue: ReadQueue) => boolean, ever?: readonly NodeQueue[]): Promise<Readings>
  /** Ids of the nodes for which messages are delayed. */
  delayed(topologyId: string): Promise<Set<string>>
  /** Makes what is delayed for these nodes due at once; idempotent. */
  hasten(topologyId: string, nodeIds: ReadonlySet<string>): Promise<void>
  /** Deletes consumers of queues in which nothing is stored; idempotent. */
  deleteConsumers(topologyId: string, names: readonly string[]): Promise<void>
  depths(plan: Plan): Promise<QueueDepth[]>
  /** By topology id, each stream that there is. A request for each 256 of them. */
  marks(): Promise<Map<string, StreamMark>>
  /** Asks all live bridges what they hold, and waits for them a second at most. */
  look(question: Question): Promise<Looks>
  /** The delayed messages of each node. */
  delays(topologyId: string): Promise<Delays>
  /** The next messages in a node's queue, in order, without taking them. Reads no more than about 32 MiB. */
  peek(topologyId: string, node: PlanNode, peek: Peek): Promise<Peeked>
  /** What came into a node's queue after a place in the stream, finished or not; `after` null: nothing, but the place of now. */
  tail(
    topologyId: string,
    node: PlanNode,
    after: number | null,
    limit: number,
  ): Promise<{ items: StoredMessage[]; next: number }>
  /** A message of a node by its sequence, waiting or delayed; null when it isn't there, or another node's. */
  message(topologyId: string, nodeId: string, sequence: number): Promise<StoredMessage | null>
  /** Which past generations of a node's lanes hold nothing any more, neither waiting nor delayed. */
  settledGenerations(plan: Plan, node: WorkerNode): Promise<number[]>
  backlog(topologyId: string): Promise<Backlog>
  storage(): Promise<Storage>
  /** Pauses or resumes a node at all bridges, at once; `reason` null resumes. */
  setPaused(nodeId: string, reason: string | null): Promise<void>
  /** The same for all nodes of a topology, apart from their own pauses; idempotent. */
  setTopologyPaused(topologyId: string, reason: string | null): Promise<void>
  /** Node id → reason of every node that is paused by itself. */
  paused(): Promise<Map<string, string>>
  /** Hands a committed watermark to the runs that begin from now on; whoever calls it holds its row. Idempotent. */
  readonly putWatermark: (place: WatermarkPlace, told: Since) => Promise<void>
  /** True when no watermark at all is told: the bucket was made anew. */
  hasNoWatermarks(): Promise<boolean>
  /** Makes bridges ask for the reading's next page with another cursor; whoever calls it holds its row. Idempotent. */
  readonly putEdit: (topologyId: string, reading: string, edit: CursorEdit) => Promise<void>
  /** The edits that are told. */
  edits(): Promise<ToldEdit[]>
  /** Takes one away, unless there is a newer one. */
  forgetEdit(edit: ToldEdit): Promise<void>
  /** Limits of a service, at all bridges at once; whoever calls it holds its row. Idempotent. */
  putService(limits: ServiceLimits): Promise<void>
  removeService(name: string): Promise<void>
  /** What asked to wait (429) in the last day, by id; see limits/told.ts. */
  limited(): Promise<Map<string, Limited>>
  /** Ends what these keys were asked to wait, for all bridges; resolves with those that were not over. */
  liftLimited(isMeant: (key: LimitKey) => boolean): Promise<Limited[]>
  /** Forgets those that ended before this time, in milliseconds of the epoch; resolves with how many. */
  forgetLimited(before: number): Promise<number>
  /** What is reserved of a limit. */
  cell(id: string): Promise<Cell>
  /** What bridges are told of paused topologies, of workers and of services. */
  told(): Promise<Told>
  status(): Promise<{
    version: string
    url: string
    connected: boolean
    streams: number
    bytes: number
    /** Of the account; null: it has none, the disk has one. */
    limitBytes: number | null
    /** That this process makes of each queue. */
    copies: number
    isCluster: boolean
    maxPayload: number
  }>
  /** What is still stored of runs. */
  readonly history: RunHistory
  /** Of webhook nodes whose address or secrets were changed, as controls tell each other. */
  readonly hookChanges: Telling
  /** Last sequence of the topology's stream; null: there is none. */
  lastSequence(topologyId: string): Promise<number | null>
  /**
   * Deletes the stream if its last sequence is `last` still: nothing that was confirmed later is ever deleted with it (I7). False: it
   * isn't, and goes on as it was.
   */
  destroyUnmoved(topologyId: string, last: number): Promise<boolean>
  /** Deletes the stream of a topology that was never published or is settled. */
  destroy(topologyId: string): Promise<void>
}
