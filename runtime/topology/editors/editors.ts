/** Documents of the older editors, read and given back. Pure. */
import type { TopologyDocument } from '../schema.ts'
import type { Address, DrawnName, DrawnNode, Reading } from './drawing.ts'
import { readBpmn } from './bpmn/read.ts'
import { readJson } from './json/read.ts'
import { showDraft } from './show.ts'
import type { Shown } from './show.ts'
import { writeBpmn } from './bpmn/write.ts'
import { writeJson } from './json/write.ts'

export { readBpmn } from './bpmn/read.ts'
export { flowJsonSchema, readJson } from './json/read.ts'
export { mergeDrawing } from './merge.ts'
export type { DrawnName, Reading } from './drawing.ts'

/** The document that an editor put last, as it is kept beside the draft. */
export interface SavedDrawing {
  readonly kind: 'bpmn' | 'json'
  /** The text as it came; of a JSON payload, its JSON. */
  readonly source: string
  readonly names: readonly DrawnName[]
}

/** The draft as BPMN XML, woven into the document that was put last, if that was one. */
export function drawBpmn(draft: TopologyDocument, workers: readonly Address[], saved: SavedDrawing | null): string {
  return writeBpmn(saved?.kind === 'bpmn' ? saved.source : null, show(draft, workers, saved))
}

/** The draft as the payload of the flow editor, woven into the payload that was put last, if that was one. */
export function drawJson(
  draft: TopologyDocument,
  workers: readonly Address[],
  saved: SavedDrawing | null,
): Record<string, unknown> {
  const source: unknown = saved?.kind === 'json' ? JSON.parse(saved.source) : null
  return writeJson(source, show(draft, workers, saved))
}

function show(draft: TopologyDocument, workers: readonly Address[], saved: SavedDrawing | null): Shown {
  return showDraft(draft, workers, { names: saved?.names ?? [], nodes: saved ? nodesOf(saved) : new Map() })
}

function nodesOf({ kind, source }: SavedDrawing): Map<string, DrawnNode> {
  const reading: Reading = kind === 'bpmn' ? readBpmn(source) : readJson(JSON.parse(source))
  return new Map(reading.drawing.nodes.map((node) => [node.id, node]))
}
