/**
 * Where a message was on its way from one message to one, and how long everything took there. It travels with the message, so the
 * ledger record at its end tells the recorder of all of it, and no hop has to write one of its own.
 *
 * One step for each node, as it is stored: short, since each message on its way carries it; zeros at the end are left out.
 */
export type Step = readonly [nodeId: string, ...numbers: number[]]
export type Trail = readonly Step[]

/** What a message did at one node. All in milliseconds but `calls`. */
export interface Passage {
  readonly nodeId: string
  /** Since the message was created: when it was settled there. */
  readonly atMs: number
  /** Calls of the worker, with those that failed. */
  readonly calls: number
  /** In the queue before a bridge took it. */
  readonly queuedMs: number
  /** At the worker, over all calls. */
  readonly calledMs: number
  /** Waiting since a worker asked for it, or for a permit. */
  readonly limitMs: number
  /** Waiting to be tried again, in place or delayed. */
  readonly retryMs: number
  /** All else: paused, behind a breaker, for its turn. */
  readonly otherMs: number
}

export type Spent = Pick<Passage, 'queuedMs' | 'calledMs' | 'limitMs' | 'retryMs' | 'otherMs'>

/**
 * Longer ways aren't carried on: headers of a stored message have 64 KiB for everything. Of a message that passed more nodes one to
 * one, the last ones are missing in its run's milestones.
 */
export const trailMax = 100

const fields = ['atMs', 'calls', 'queuedMs', 'calledMs', 'limitMs', 'retryMs', 'otherMs'] as const

/** The trail with what happened at a node; what it says of the same node already (before a delay) is added up. */
export function withPassage(trail: Trail, passage: Passage): Trail {
  const last = trail.at(-1)
  if (last?.[0] === passage.nodeId) return [...trail.slice(0, -1), stepOf(added(passageOf(last), passage))]
  return trail.length >= trailMax ? trail : [...trail, stepOf(passage)]
}

function added(before: Passage, now: Passage): Passage {
  return {
    ...now,
    calls: before.calls + now.calls,
    queuedMs: before.queuedMs + now.queuedMs,
    calledMs: before.calledMs + now.calledMs,
    limitMs: before.limitMs + now.limitMs,
    retryMs: before.retryMs + now.retryMs,
    otherMs: before.otherMs + now.otherMs,
  }
}

function stepOf(passage: Passage): Step {
  const numbers = fields.map((field) => Math.max(0, Math.round(passage[field])))
  while (numbers.at(-1) === 0) numbers.pop()
  return [passage.nodeId, ...numbers]
}

export function passageOf([nodeId, ...numbers]: Step): Passage {
  const [atMs = 0, calls = 0, queuedMs = 0, calledMs = 0, limitMs = 0, retryMs = 0, otherMs = 0] = numbers
  return { nodeId, atMs, calls, queuedMs, calledMs, limitMs, retryMs, otherMs }
}
