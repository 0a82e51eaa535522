/**
 * What the documents of the older editors (BPMN XML and the JSON of the flow editor) have in common. A document is read into a
 * `Drawing`, which is merged into the draft (merge.ts); to give one back, the draft is shown as drawn nodes (show.ts), which are
 * woven into the document that was put last, so that what only the editor knows (layout, colours, notes) stays in it.
 */
import type { Fault } from '../../errors.ts'
import type { RetryInput } from '../schema.ts'
import type { nodeTypes } from '../plan.ts'

export type DrawnType = (typeof nodeTypes)[number]

export const nodesMax = 200
export const edgesMax = 2000
export const textMax = 200

export interface Point {
  readonly x: number
  readonly y: number
}

/** How often a failed call is repeated, and after how many seconds. */
export interface Repeater {
  readonly enabled: boolean
  readonly hops: number
  readonly interval: number
}

/** A node as an older editor says it; what it doesn't say is undefined. Texts that are said and empty are undefined, too. */
export interface DrawnNode {
  /** Where it stands in its document, such as `nodes[2]`. */
  readonly path: string
  /** The editor's own id. */
  readonly id: string
  /** What the editor calls its name: of a worker node, the worker's name for it. */
  readonly title: string
  readonly type: DrawnType
  /** False for kinds of nodes that no worker implements. */
  readonly callable: boolean
  /** The editors' word for its type, if that has no counterpart here. */
  readonly foreign: string | undefined
  /** Name of a worker. */
  readonly worker: string | undefined
  /** `host:port` of a worker. */
  readonly host: string | undefined
  readonly service: string | undefined
  readonly prefetch: number | undefined
  /** Seconds. */
  readonly timeout: number | undefined
  readonly repeater: Repeater | undefined
  readonly cron: string | undefined
  readonly at: Point | undefined
}

export interface DrawnEdge {
  readonly path: string
  /** Ids of drawn nodes. */
  readonly from: string
  readonly to: string
}

export interface Drawing {
  readonly nodes: readonly DrawnNode[]
  readonly edges: readonly DrawnEdge[]
}

/** What reading gave. With faults the drawing isn't to be used; warnings name what has no counterpart here. */
export interface Reading {
  readonly drawing: Drawing
  readonly faults: readonly Fault[]
  readonly warnings: readonly Fault[]
}

/** Under which name a drawn node is known here: what is remembered from one save to the next. */
export interface DrawnName {
  readonly id: string
  readonly name: string
  readonly title: string
}

/** A worker, as far as an older document can name it. */
export interface Address {
  readonly name: string
  readonly urls: readonly string[]
}

/** Collects what is wrong, and what has no counterpart. */
export interface Notes {
  fault(path: string, message: string): void
  warn(path: string, message: string): void
}

const notesMax = 200

/** Notes that keep the first 200 of each sort. */
export function takeNotes(): Notes & { readonly faults: Fault[]; readonly warnings: Fault[] } {
  const faults: Fault[] = []
  const warnings: Fault[] = []
  const into = (list: Fault[]) => (path: string, message: string) => {
    if (list.length < notesMax) list.push({ path, message })
  }
  return { faults, warnings, fault: into(faults), warn: into(warnings) }
}

/** What a drawn node becomes in a document. */
export interface Mapped {
  readonly type: DrawnType
  readonly worker: string | undefined
  readonly uses: string | undefined
  readonly service: string | undefined
  readonly prefetch: number | undefined
  readonly timeoutMs: number | undefined
  readonly retry: RetryInput | undefined
  readonly cron: string | undefined
}
