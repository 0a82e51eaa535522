import type { Engine } from '../../../client/engine.ts'
import { Invalid } from '../../../errors.ts'
import { findNode, placeOf } from '../find.ts'

/** Id of the node that `TOPOLOGY/NODE` names. Throws `Invalid` for what names none, `NotFound` with a suggestion. */
export async function nodeIdOf(engine: Engine, what: string): Promise<string> {
  const { topology, node } = placeOf(what)
  if (node === null) throw new Invalid(`a node is named TOPOLOGY/NODE; found "${what}"`)
  return (await findNode(engine, topology, node)).id
}
