/** A node of a plan in the words and the order of documents. Pure. */
import { isDeepStrictEqual } from 'node:util'
import { isEventNode, nodeDefaults, retryDefaults } from '../plan.ts'
import type { NodeEmit } from '../emit.ts'
import type { PlanNode, WorkerNode } from '../plan.ts'

type Values = Readonly<Record<string, unknown>>

export interface Written {
  /** Everything that is in force. */
  readonly all: Values
  /** What a document has to say, so that this is in force: no defaults. */
  readonly needed: Values
}

export function writtenNode(node: PlanNode): Written {
  const all = isEventNode(node) ? eventWords(node) : workerWords(node)
  const defaults = isEventNode(node) ? { enabled: true } : defaultsOf(node)
  return { all, needed: without(all, defaults) }
}

/** Ids, and the numbers by which bridges tell lanes apart, are in no document. */
function eventWords({ id: _, name: __, followers: ___, type, ...rest }: Exclude<PlanNode, WorkerNode>): Values {
  return { type, ...rest }
}

function workerWords(node: WorkerNode): Values {
  const { id: _, name: __, followers: ___, generation: ____, past: _____, ...rest } = node
  const {
    type,
    worker,
    uses,
    path,
    service,
    limitCost,
    prefetch,
    partitions,
    partitionKey,
    retry,
    timeoutMs,
    ...more
  } = rest
  const { inPlaceMaxMs, onFail, settings, emit, maxPages, ...others } = more
  return given({
    ...{ type, worker, uses, path, service, limitCost, prefetch, partitions, partitionKey },
    ...{ retry: retryWords(retry), timeoutMs, inPlaceMaxMs, onFail, settings, emit: emitText(emit), maxPages },
    ...others,
  })
}

function retryWords({ attempts, backoff, baseMs, maxMs, on, maxAgeMs }: WorkerNode['retry']): Values {
  return given({ attempts, backoff, baseMs, maxMs, on: on.length === 0 ? retryDefaults.on : on, maxAgeMs })
}

function emitText(emit: NodeEmit): string {
  return emit.kind === 'chunks' ? `chunks=${emit.n}` : emit.kind
}

function defaultsOf({ name, uses }: WorkerNode): Values {
  return { ...nodeDefaults, uses: name, path: `/nodes/${uses}`, limitCost: 1, emit: 'page', retry: retryDefaults }
}

/** Null in a plan is what a document leaves out. */
function given(values: Values): Values {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null && value !== undefined))
}

/** Retry policies value by value. */
function without(values: Values, defaults: Values): Values {
  const kept = Object.entries(values).flatMap(([key, value]): [string, unknown][] => {
    if (key === 'retry') {
      const retry = without(value as Values, defaults[key] as Values)
      return Object.keys(retry).length === 0 ? [] : [[key, retry]]
    }
    return isDeepStrictEqual(value, defaults[key]) ? [] : [[key, value]]
  })
  return Object.fromEntries(kept)
}
