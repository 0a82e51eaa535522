import { createHash } from 'node:crypto'
import { Invalid } from '../../errors.ts'
import type { Fault } from '../../errors.ts'
import { getDrawing, putDrawing } from '../../store/queries/drawings.ts'
import type { Drawing } from '../../store/queries/drawings.ts'
import { listNodes } from '../../store/queries/nodes.ts'
import type { Node } from '../../store/queries/nodes.ts'
import { lockTopology } from '../../store/queries/topologies.ts'
import type { Topology } from '../../store/queries/topologies.ts'
import { allWorkers } from '../../store/queries/workers.ts'
import { mergeDrawing, readBpmn, readJson } from '../../topology/editors/editors.ts'
import type { Reading } from '../../topology/editors/editors.ts'
import type { TopologyDocument } from '../../topology/schema.ts'
import type { Change } from '../access/change.ts'
import { ofTopology } from '../access/targets.ts'
import type { Changing } from '../deps.ts'
import { documentOf, draftOf, fillIn, replaceDraft } from './drafts.ts'

/** What an older editor saved, and how it is read. */
export interface Sent {
  readonly kind: Drawing['kind']
  readonly source: string
  readonly reading: Reading
}

export function sentBpmn(source: string): Sent {
  return { kind: 'bpmn', source, reading: readBpmn(source) }
}

export function sentJson(payload: unknown): Sent {
  return { kind: 'json', source: JSON.stringify(payload), reading: readJson(payload) }
}

/**
 * Replaces the draft by what an older editor saved, and keeps its document for the editor's next look. What that document can't say stays
 * as it is in the draft. `isDry`: answers what would be saved, and stores nothing. Throws `Invalid` with every fault, `NotFound`, `LostRace`.
 */
export async function replaceDrawing(
  { store, secretKey, audit }: Pick<Changing, 'store' | 'secretKey' | 'audit'>,
  id: string,
  { kind, source, reading }: Sent,
  ifVersion: number | null,
  isDry = false,
): Promise<{ topology: Topology; warnings: Fault[] }> {
  const { drawing, faults, warnings } = reading
  if (faults.length > 0) throw new Invalid(`schema.${kind} has ${countOf(faults.length)}`, faults)
  return store.transaction(async (inside) => {
    const before = await lockTopology(inside, id, ifVersion)
    const [saved, nodes, workers] = [
      await getDrawing(inside, id),
      await listNodes(inside, id, true),
      await allWorkers(inside),
    ]
    const merged = mergeDrawing(drawing, {
      draft: draftOf(before),
      prefetch: new Map(nodes.map((node) => [node.name, node.prefetch])),
      workers,
      names: saved?.names ?? [],
      keepsPrefetch: kind === 'json',
    })
    const told = [...warnings, ...merged.warnings]
    const document = documentOf(merged.document)
    if (isDry) return { topology: wouldBe(before, document, nodes), warnings: told }
    const topology = await replaceDraft({ store: inside, secretKey, audit }, id, document, null)
    await putDrawing(inside, id, { kind, source, names: merged.names })
    const onlyDrawn = topology.version === before.version && saved?.source !== source
    if (onlyDrawn) await audit(inside, ofDrawing(topology, saved, { kind, source }))
    return { topology, warnings: told }
  })
}

/** The topology with a document that isn't saved. */
function wouldBe(before: Topology, document: TopologyDocument, nodes: readonly Node[]): Topology {
  const filled = fillIn(document, new Map(nodes.map((node) => [node.name, node]))).document
  return { ...before, name: filled.name, document: { ...filled } }
}

type Drawn = Pick<Drawing, 'kind' | 'source'>

/** Of a document that draws the same draft in another way. */
function ofDrawing(topology: Topology, before: Drawn | null, after: Drawn): Change {
  const shown = ({ kind, source }: Drawn) => ({
    drawing: { kind, bytes: Buffer.byteLength(source), sha256: createHash('sha256').update(source).digest('hex') },
  })
  return { ...ofTopology(topology, topology), before: before === null ? {} : shown(before), after: shown(after) }
}

function countOf(faults: number): string {
  return faults === 1 ? 'one fault' : `${faults} faults`
}
