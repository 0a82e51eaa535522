import type { Health } from '../call/breaker/circuit.ts'
import { openInstances } from '../call/instances.ts'
import type { InstanceHealth, InstancesDeps } from '../call/instances.ts'
import type { Outlook, Reach } from '../call/reach.ts'
import { textOf } from '../errors.ts'
import type { Limiter } from '../limiter/limiter.ts'
import { signingKey } from '../protocol/native.ts'
import type { PreparedNode } from '../protocol/native.ts'
import type { Queues } from '../queue/open.ts'
import { decryptSecret } from '../secrets.ts'
import type { Log } from '../telemetry/log.ts'
import type { WorkerAddress } from '../topology/plan.ts'
import { openCallers } from './caller.ts'
import type { Caller, HealthChange, Known } from './caller.ts'
import { openGates, sleep } from './gate.ts'
import type { Gate } from './gate.ts'

/** What this bridge knows of workers and of what is paused. */
export interface Directory {
  setWorker(name: string, worker: WorkerAddress | null): void
  /** `reason` null: it goes on. */
  setPaused(what: 'node' | 'topology', id: string, reason: string | null): void
  /** Nothing begins while changes may be missed. */
  setCurrent(current: boolean): void
  gateOf(topologyId: string, nodeId: string): Gate
  /** Pauses a node here at once, and on all bridges when it resolves; rejects with `Stopped` when this bridge gives up before. */
  pause(nodeId: string, reason: string): Promise<void>
  /** Calls the node's worker; `mayCall` is asked right before, perhaps after a wait. */
  callerOf(prepared: PreparedNode, mayCall: () => boolean): Caller
  instances(): (InstanceHealth & { readonly worker: string })[]
  /** The node is gone. */
  forgetNode(nodeId: string): void
  /** How each worker can be called; null: nothing is known yet. */
  outlooks(): [worker: string, outlook: Outlook | null][]
  /** How well the worker can be called now; null: not at all. */
  reach(worker: string): Promise<Reach | null>
  /** Nodes whose breaker isn't closed. */
  nodes(): (Health & { readonly node: string })[]
  /** What calls counted as, by service. */
  used(): ReadonlyMap<string, number>
  close(): Promise<void>
}

const retryMs = 500

interface DirectoryDeps {
  readonly queues: Queues
  readonly limiter: Limiter
  readonly secretKey: string
  readonly log: Log
  /** Open calls are given up when it aborts. */
  readonly cut: AbortSignal
  readonly onHealth: (change: HealthChange) => void
}

export function openDirectory({ queues, limiter, secretKey, log, cut, onHealth }: DirectoryDeps): Directory {
  const opening = new Map<string, Promise<Known>>()
  const workers = new Map<string, Known>()
  const gates = openGates()
  const texts = new Map<string, string>()

  const forget = (name: string): void => {
    const known = opening.get(name)
    opening.delete(name)
    workers.delete(name)
    known?.then(({ instances }) => instances?.close()).catch(() => undefined)
    callers.workerMoved(name)
  }
  const workerOf = (name: string): Known | Promise<Known | null> =>
    workers.get(name) ?? opening.get(name) ?? Promise.resolve(null)
  const callers = openCallers({ workerOf, limiter, cut, onHealth })

  return {
    setWorker(name, worker) {
      // After a reconnect everything comes again: what is the same keeps its connections.
      const text = JSON.stringify(worker)
      if (texts.get(name) === text) return
      forget(name)
      texts.delete(name)
      if (worker === null) return
      texts.set(name, text)
      const known = know(worker, secretKey, {
        log,
        onChange: (url, change) => onHealth({ kind: 'instance', worker: name, url, ...change }),
      }).catch((error: unknown): Known => {
        log.error('a worker can not be called', { worker: name, error: textOf(error) })
        return { instances: null, key: null, unusable: textOf(error) }
      })
      opening.set(name, known)
      void known.then((ready) => opening.get(name) === known && workers.set(name, ready))
    },
    setPaused(what, id, reason) {
      if (reason !== null) log.warn(`a ${what} is paused`, { [what]: id, reason })
      if (what === 'node') gates.pauseNode(id, reason !== null)
      else gates.pauseTopology(id, reason !== null)
    },
    setCurrent: (current) => gates.know(current),
    gateOf: (topologyId, nodeId) => gates.of(topologyId, nodeId),
    async pause(nodeId, reason) {
      gates.pauseNode(nodeId, true)
      await tellAll(queues, nodeId, reason, log, cut)
    },
    callerOf: callers.callerOf,
    instances: () =>
      [...workers].flatMap(([worker, { instances }]) =>
        (instances?.states() ?? []).map((state) => ({ worker, ...state })),
      ),
    forgetNode(nodeId) {
      callers.forget(nodeId)
      gates.forget(nodeId)
    },
    outlooks: () => [...opening.keys()].map((name) => [name, outlookOn(workers.get(name))]),
    reach: async (name) => (await workers.get(name)?.instances?.reach()) ?? null,
    nodes: callers.nodes,
    used: callers.used,
    async close() {
      callers.close()
      for (const name of [...opening.keys()]) forget(name)
    },
  }
}

/** A pause that only this bridge knew of could be seen by nobody and lifted by nobody: told until NATS has it. */
async function tellAll({ control }: Queues, nodeId: string, reason: string, log: Log, signal: AbortSignal) {
  for (;;) {
    try {
      return await control.setPaused(nodeId, reason)
    } catch (error) {
      log.warn('a pause could not be stored, trying again', { node: nodeId, reason, error: textOf(error) })
      await sleep(retryMs, signal)
    }
  }
}

async function know(worker: WorkerAddress, secretKey: string, deps: InstancesDeps): Promise<Known> {
  const key = worker.secret === null ? null : signingKey(decryptSecret(secretKey, worker.secret))
  return { instances: await openInstances(worker, deps), key, unusable: null }
}

function outlookOn(known: Known | undefined): Outlook | null {
  if (known === undefined) return null
  if (known.instances !== null) return known.instances.outlook()
  return { kind: 'cannot', lacks: 'answers', reason: known.unusable ?? '' }
}
