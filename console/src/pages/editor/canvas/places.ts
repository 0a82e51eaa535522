/** Where nodes stand that nobody has put anywhere. Pure. */
import { cardHeight, cardWidth, layoutOf } from '../../topology/graph/layout.ts'
import type { Direction, Layout, Place } from '../../topology/graph/layout.ts'
import type { Graph } from '../state/graph.ts'

/** All of the graph in layers, as on the page of the topology. */
export function laidOut({ nodes, edges }: Graph, room: { readonly width: number; readonly height: number }): Layout {
  const shape = nodes.map(({ key }) => ({
    id: key,
    followers: edges
      .filter(({ from, to }) => from === key && nodes.some((node) => node.key === to))
      .map(({ to }) => ({ id: to, name: to })),
  }))
  return layoutOf(shape, room)
}

const gap = 40

/** After the node `beside`, or below all others; where nothing stands yet. */
export function freePlace(places: readonly Place[], beside: Place | undefined, direction: Direction): Place {
  const isRight = direction === 'right'
  const start = beside ?? { x: 0, y: Math.max(-gap - cardHeight, ...places.map(({ y }) => y)) }
  const first =
    beside !== undefined && isRight
      ? { x: start.x + cardWidth + gap + 24, y: start.y }
      : { x: start.x, y: start.y + cardHeight + gap }
  const step = isRight ? { x: 0, y: cardHeight + 22 } : { x: cardWidth + 28, y: 0 }
  let place = first
  while (places.some((other) => overlaps(other, place))) place = { x: place.x + step.x, y: place.y + step.y }
  return place
}

const overlaps = (one: Place, other: Place): boolean =>
  Math.abs(one.x - other.x) < cardWidth + 8 && Math.abs(one.y - other.y) < cardHeight + 8

/** Of nodes that have no place yet: all are laid out while none has one, else each is put where there is room. */
export function missingPlaces(
  graph: Graph,
  places: ReadonlyMap<string, Place>,
  layout: () => Layout,
  direction: Direction,
): readonly (readonly [string, Place])[] {
  const missing = graph.nodes.filter(({ key }) => !places.has(key))
  if (missing.length === 0) return []
  const known = graph.nodes.flatMap(({ key }) => places.get(key) ?? [])
  if (known.length === 0) return [...layout().places]
  const found = new Map<string, Place>()
  for (const { key } of missing) {
    const before = graph.edges.find(({ to }) => to === key)?.from ?? ''
    const beside = places.get(before) ?? found.get(before)
    found.set(key, freePlace([...known, ...found.values()], beside, direction))
  }
  return [...found]
}
