import { answerOf } from '../../../client/answer.ts'
import type { Answer } from '../../../client/answer.ts'
import type { Engine } from '../../../client/engine.ts'
import type { Topology } from '../../../client/openapi.d.ts'
import { Invalid, NotFound } from '../../../errors.ts'
import { readDocument } from '../../../topology/document.ts'
import { differenceOf, emptyGraph, graphOfDocument } from '../../../topology/files/difference.ts'
import type { Difference } from '../../../topology/files/difference.ts'
import { savedOver } from '../../../topology/files/kept.ts'
import type { Kept } from '../../../topology/files/kept.ts'
import type { TopologyDocument } from '../../../topology/schema.ts'
import { marked } from './owner.ts'

/** What applying a document comes to. */
export interface Step {
  readonly name: string
  /** Null: there is none of this name. */
  readonly stored: Answer<Topology> | null
  readonly document: TopologyDocument
  readonly difference: Difference
  readonly kept: readonly Kept[]
}

export async function stepFor(engine: Engine, said: TopologyDocument, set: string | undefined): Promise<Step> {
  const stored = await find(engine, said.name)
  const before = stored === null ? null : storedDocument(stored.data)
  const document = marked(said, before, set)
  const { name } = document
  if (before === null) {
    return { name, stored, document, difference: differenceOf(emptyGraph, graphOfDocument(document)), kept: [] }
  }
  const { saved, kept } = savedOver(document, before)
  return { name, stored, document, difference: differenceOf(graphOfDocument(before), graphOfDocument(saved)), kept }
}

/** By its name: a topology whose id is that word is another one. */
async function find(engine: Engine, name: string): Promise<Answer<Topology> | null> {
  try {
    const found = await answerOf(engine.GET('/api/topologies/{topology}', { params: { path: { topology: name } } }))
    return found.data.name === name ? found : null
  } catch (error) {
    if (error instanceof NotFound) return null
    throw error
  }
}

/** As our own reader sees it, so that both sides of a comparison are spelt alike. */
function storedDocument({ name, document: stored }: Topology): TopologyDocument {
  const { document, faults } = readDocument(stored)
  if (document) return document
  throw new Invalid(`the draft of ${name} is of another version than this command line`, faults)
}
