/** Where nodes are drawn that no editor ever placed. Pure. */
import type { TopologyDocument } from '../schema.ts'
import type { Point } from './drawing.ts'

const first: Point = { x: 160, y: 100 }
const step: Point = { x: 200, y: 140 }

/**
 * Name → place. Nodes that have a place keep it. If none has one, they are laid out from left to right along the edges; else the new ones
 * stand in a row below the others.
 */
export function placeNodes(draft: TopologyDocument, known: ReadonlyMap<string, Point | undefined>): Map<string, Point> {
  const places = new Map([...known].flatMap(([name, at]): [string, Point][] => (at ? [[name, at]] : [])))
  if (places.size === 0) return inColumns(draft)
  const below = Math.max(...[...places.values()].map(({ y }) => y)) + step.y
  const fresh = draft.nodes.filter(({ name }) => !places.has(name))
  for (const [index, { name }] of fresh.entries()) places.set(name, { x: first.x + index * step.x, y: below })
  return places
}

function inColumns(draft: TopologyDocument): Map<string, Point> {
  const columns = columnsOf(draft)
  const rows = new Map<number, number>()
  return new Map(
    draft.nodes.map(({ name }) => {
      const column = columns.get(name) ?? 0
      const row = rows.get(column) ?? 0
      rows.set(column, row + 1)
      return [name, { x: first.x + column * step.x, y: first.y + row * step.y }]
    }),
  )
}

/** The longest way to each node; a draft may hold cycles, so no way is longer than there are nodes. */
function columnsOf({ nodes, edges }: TopologyDocument): Map<string, number> {
  const columns = new Map(nodes.map(({ name }) => [name, 0]))
  for (let round = 0, moved = true; moved && round < nodes.length; round += 1) {
    moved = false
    for (const { from, to } of edges) {
      const [before, here] = [columns.get(from), columns.get(to)]
      if (before === undefined || here === undefined || here > before || before + 1 >= nodes.length) continue
      columns.set(to, before + 1)
      moved = true
    }
  }
  return columns
}
