import type { FailedCall, Problem } from '../../protocol/message.ts'
import type { Passage } from '../../protocol/trail.ts'

/** Where a run begins. */
export interface Origin {
  readonly run: string
  /** The node that was started, or that recorded messages entered. */
  readonly nodeId: string
  readonly startedAt: Date
  /** How many recorded messages it began with; null: it began with a start. */
  readonly entered: number | null
}

/** A run that begins with recorded messages at one node. */
export interface Entering {
  readonly topologyId: string
  readonly nodeId: string
  /** Of the new run. */
  readonly run: string
  readonly tenant: string | null
  readonly revision: number
  /** RFC 3339, when it was asked for: the creation time of its messages. */
  readonly at: string
  readonly epoch: string
  readonly sequences: readonly number[]
}

/** What entered a node in a run, as far as the history of its topology's queues reaches. */
export interface RecordedInputs {
  /** Of the stream whose places `sequences` are. */
  readonly epoch: string
  /** When the oldest message that is still stored came. */
  readonly since: Date
  /** Everything that entered, also the pages of a batch node after the first, and replays. */
  readonly entered: number
  /** Of each distinct message the last input that can be sent again, in order. */
  readonly sequences: readonly number[]
  /** Of their bodies, in sum. */
  readonly bytes: number
}

/** Whose inputs are looked for. */
export interface InputsAt {
  readonly topologyId: string
  readonly nodeId: string
  readonly run: string
  readonly startedAt: Date
}

export interface InputsLimits {
  /** Distinct messages. */
  readonly inputsMax: number
  /** Messages of all runs that are looked at. */
  readonly readMax: number
}

/**
 * | state       | the message at this node …                                |
 * |-------------|-----------------------------------------------------------|
 * | `waiting`   | is in the queue, or held by a bridge                      |
 * | `delayed`   | failed, and comes again at `dueAt`                        |
 * | `forwarded` | went on as one message                                    |
 * | `split`     | became `made` messages, and a next page if it has one     |
 * | `splitting` | is stored as a reply that is to be split                  |
 * | `done`      | came to its end                                           |
 * | `cancelled` | settled as cancelled                                      |
 * | `trashed`   | finally failed                                            |
 * | `gone`      | was here; what became of it is not kept any more          |
 */
export type StepState =
  'waiting' | 'delayed' | 'forwarded' | 'split' | 'splitting' | 'done' | 'cancelled' | 'trashed' | 'gone'

/** One node that a message came to, or one page of a batch node. */
export interface Step {
  readonly nodeId: string
  /** Id of the message here: an edited replay gets another one. */
  readonly id: string
  readonly page: number
  readonly replay: number
  readonly state: StepState
  readonly sequence: number | null
  readonly enteredAt: Date | null
  /** When it was settled here. */
  readonly at: Date | null
  readonly dueAt: Date | null
  /** Calls that failed here, oldest first. */
  readonly attempts: readonly FailedCall[]
  /** What it took; null: not known (any more, or yet). */
  readonly spent: Passage | null
  /** Messages made from it, without a next page. */
  readonly made: number | null
  readonly trash: Trashing | null
}

export interface Trashing {
  readonly id: string
  readonly error: Problem
  /** What somebody decided, as far as that is stored. */
  readonly settled: { readonly as: 'replayed' | 'discarded'; readonly at: Date } | null
}

/** A run whose messages are looked for. */
export interface Asked {
  readonly topologyId: string
  readonly origin: Origin
}

export interface Life {
  readonly steps: readonly Step[]
  /** Page of the batch node with which it goes on; null: that was all. */
  readonly nextPage: number | null
}

export interface Child {
  readonly id: string
  /** Where it is, or what it ended as; null: nothing of it is kept. */
  readonly last: Step | null
  readonly enteredAt: Date | null
}

/**
 * Where a replayed message is. Its hops have keys that can be reckoned, so each is one look at the stream; what it leaves there says how
 * it went on. It is followed for as long as it stays one message: what is made of it are others.
 */
export interface Hop {
  readonly nodeId: string
  readonly id: string
  readonly page: number
  readonly replay: number
  readonly round: number
  /** Where the message lies in the stream; null: not known yet. */
  readonly sequence: number | null
}

export interface Followed {
  /** Under which it was replayed: its first place in the stream is known by that. */
  readonly trashKey: string
  readonly hop: Hop
  /** It has not moved for a while: is it there at all? */
  readonly isLate: boolean
}

/**
 * | kind        | the message                                                                                    |
 * |-------------|------------------------------------------------------------------------------------------------|
 * | `here`      | waits, is held or delayed, before this hop                                                     |
 * | `done`      | came to its end, or became others                                                              |
 * | `cancelled` | settled as cancelled                                                                           |
 * | `failed`    | failed for good: in Trash as soon as the recorder has read this outcome                        |
 * | `gone`      | was settled, and all of it is compacted: the recorder has written down what became of it       |
 */
export type Whereabouts =
  | { readonly kind: 'here'; readonly hop: Hop }
  | { readonly kind: 'done' | 'cancelled' | 'gone' }
  | { readonly kind: 'failed'; readonly trashId: string; readonly epoch: string; readonly sequence: number }

/** What is still stored of runs. Nothing is taken, no consumer is left behind; all may be called by several controls at once. */
export interface RunHistory {
  /** When the oldest message that is still stored came; null: none is. */
  since(topologyId: string): Promise<Date | null>
  /** What entered a node in a run; null: there is no stream. Reads at most `readMax` headers. */
  inputs(at: InputsAt, limits: InputsLimits): Promise<RecordedInputs | null>
  /** Starts a run that begins with recorded messages; idempotent. Ends early when `mayGoOn` says no. */
  enter(entering: Entering, mayGoOn: () => Promise<boolean>): Promise<void>
  /** Where replayed messages are; null: the topology has no stream any more. */
  follow(topologyId: string, messages: readonly Followed[]): Promise<Whereabouts[] | null>
  /**
   * The steps of one message, at most `limit`, from a page of its batch node on. `nodeIds` are where it is looked for when the way to
   * it isn't kept any more. Null: nothing of it is kept.
   */
  life(
    asked: Asked,
    id: string,
    view: { readonly page: number; readonly limit: number; readonly nodeIds: readonly string[] },
  ): Promise<Life | null>
  /** Messages made from a message, or from a page of it, in order; null: it was not split, or that is not kept any more. */
  children(
    asked: Asked,
    id: string,
    view: { readonly page: number; readonly from: number; readonly limit: number },
  ): Promise<{ readonly items: readonly Child[]; readonly total: number } | null>
}
