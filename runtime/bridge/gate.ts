import { Stopped } from '../errors.ts'

/**
 * Why a gate is closed. Each is lifted by itself: a topology that goes on leaves its paused nodes paused.
 *
 * | `node`     | the node is paused: by a person, by a worker that refuses, by `onFail: block` |
 * | `topology` | the whole topology is paused                                                  |
 * | `unknown`  | NATS is away: nobody knows what is paused meanwhile                           |
 */
type Closing = 'node' | 'topology' | 'unknown'

/** Lets the hops of one node through, unless it is paused. */
export interface Gate {
  /** True while `pass` would resolve at once. */
  readonly open: boolean
  /** Resolves when hops may begin; rejects when the signal aborts. */
  pass(signal: AbortSignal): Promise<void>
  /** Closes until it is opened again for the same reason; twice is harmless. */
  set(closing: Closing, isClosed: boolean): void
}

function openGate(): Gate {
  const closed = new Set<Closing>()
  const opened = new Set<() => void>()
  return {
    get open() {
      return closed.size === 0
    },
    async pass(signal) {
      for (;;) {
        if (signal.aborted) throw new Stopped('the bridge stops')
        if (closed.size === 0) return
        await untilCalled(waitIn(opened), signal)
      }
    },
    set(closing, isClosed) {
      if (isClosed) return void closed.add(closing)
      closed.delete(closing)
      if (closed.size > 0) return
      const waking = [...opened]
      opened.clear()
      for (const wake of waking) wake()
    },
  }
}

/** Who gives up waiting leaves. */
function waitIn(waiting: Set<() => void>): (wake: () => void) => () => void {
  return (wake) => {
    waiting.add(wake)
    return () => void waiting.delete(wake)
  }
}

/** The gates of all nodes, closed and opened by what is paused; a node's gate may be asked for before or after that is known. */
export interface Gates {
  of(topologyId: string, nodeId: string): Gate
  pauseNode(nodeId: string, isPaused: boolean): void
  /** The node is gone, and nobody waits at its gate. */
  forget(nodeId: string): void
  pauseTopology(topologyId: string, isPaused: boolean): void
  /** While it isn't known what is paused, nothing begins. */
  know(isKnown: boolean): void
}

export function openGates(): Gates {
  const gates = new Map<string, { readonly topologyId: string; readonly gate: Gate }>()
  const nodes = new Set<string>()
  const topologies = new Set<string>()
  let known = true
  return {
    of(topologyId, nodeId) {
      const there = gates.get(nodeId)
      if (there !== undefined) return there.gate
      const gate = openGate()
      gate.set('node', nodes.has(nodeId))
      gate.set('topology', topologies.has(topologyId))
      gate.set('unknown', !known)
      gates.set(nodeId, { topologyId, gate })
      return gate
    },
    pauseNode(nodeId, isPaused) {
      remember(nodes, nodeId, isPaused)
      gates.get(nodeId)?.gate.set('node', isPaused)
    },
    forget: (nodeId) => void gates.delete(nodeId),
    pauseTopology(topologyId, isPaused) {
      remember(topologies, topologyId, isPaused)
      for (const one of gates.values()) if (one.topologyId === topologyId) one.gate.set('topology', isPaused)
    },
    know(isKnown) {
      known = isKnown
      for (const { gate } of gates.values()) gate.set('unknown', !isKnown)
    },
  }
}

function remember(ids: Set<string>, id: string, isPaused: boolean): void {
  if (isPaused) ids.add(id)
  else ids.delete(id)
}

/** Resolves after so many milliseconds of the monotonic clock; rejects with `Stopped` when the signal aborts. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return untilCalled((wake) => {
    // A longer time-out than 2^31 − 1 ms would fire at once.
    const timer = setTimeout(wake, Math.min(ms, 2_147_483_647))
    return () => clearTimeout(timer)
  }, signal)
}

/**
 * Asks until the answer is true, first soon and then ever less often; an answer that fails is no answer: while NATS is away nothing is
 * known, and that is no reason to go on. Rejects with `Stopped` when the signal aborts.
 */
export async function untilTrue(
  ask: () => Promise<boolean>,
  { firstMs, maxMs }: { readonly firstMs: number; readonly maxMs: number },
  signal: AbortSignal,
): Promise<void> {
  for (let ms = firstMs; !(await ask().catch(() => false)); ms = Math.min(ms * 2, maxMs)) await sleep(ms, signal)
}

/** Resolves when the work is done, whatever comes of it; rejects with `Stopped` when the signal aborts. */
export function untilSettled(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  return untilCalled((wake) => void work.then(wake, wake), signal)
}

function untilCalled(arrange: (wake: () => void) => unknown, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stopped = (): void => {
      if (typeof cancel === 'function') (cancel as () => void)()
      reject(new Stopped('the bridge stops'))
    }
    const cancel = arrange(() => {
      signal.removeEventListener('abort', stopped)
      resolve()
    })
    if (signal.aborted) return stopped()
    signal.addEventListener('abort', stopped, { once: true })
  })
}
