import { Invalid, NotFound } from '../../../errors.ts'
import { segment } from '../../../client/engine.ts'
import type { Engine } from '../../../client/engine.ts'
import type { Node } from '../../../client/shapes.ts'
import { didYouMean } from '../../../topology/suggest.ts'

/** Path of the node that `TOPOLOGY/NODE` names. Throws `Invalid` for what names none, `NotFound` with a suggestion. */
export async function nodePath(engine: Engine, place: string): Promise<string> {
  const [topology = '', node = '', ...rest] = place.split('/')
  if (topology === '' || node === '' || rest.length > 0)
    throw new Invalid(`a node is named TOPOLOGY/NODE; found "${place}"`)
  const { items } = await engine.get<{ items: Node[] }>(`/api/topologies/${segment(topology)}/nodes`)
  const found = items.find(({ name }) => name === node) ?? items.find(({ id }) => id === node)
  if (found) return `/api/nodes/${segment(found.id)}`
  const names = items.map(({ name }) => name)
  throw new NotFound(`the topology "${topology}" has no node "${node}"${didYouMean(node, names)}`)
}
