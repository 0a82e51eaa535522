import { Graph, layout } from '@dagrejs/dagre'
import type { Node } from '../../../../../runtime/client/index.ts'

export const cardWidth = 216
export const cardHeight = 86

export interface Place {
  readonly x: number
  readonly y: number
}

export type Direction = 'right' | 'down'

export interface Layout {
  readonly direction: Direction
  readonly places: ReadonlyMap<string, Place>
}

type Shape = readonly Pick<Node, 'id' | 'followers'>[]

/** Where nodes stand, in layers that follow each other to the right, or down where the room is too narrow for that. */
export function layoutOf(nodes: Shape, room: { readonly width: number; readonly height: number }): Layout {
  const right = laidOut(nodes, 'right')
  if (scaleOf(right, room) >= readable) return right
  const down = laidOut(nodes, 'down')
  return scaleOf(down, room) > scaleOf(right, room) ? down : right
}

/** From this scale on figures are read without effort. */
const readable = 0.85

type Sized = Layout & { readonly width: number; readonly height: number }

const scaleOf = ({ width, height }: Sized, room: { readonly width: number; readonly height: number }): number =>
  Math.min(1, room.width / width, room.height / height)

function laidOut(nodes: Shape, direction: Direction): Sized {
  const graph = new Graph()
  const isRight = direction === 'right'
  graph.setGraph({ rankdir: isRight ? 'LR' : 'TB', nodesep: isRight ? 22 : 28, ranksep: isRight ? 64 : 40 })
  graph.setDefaultEdgeLabel(() => ({}))
  for (const { id } of nodes) graph.setNode(id, { width: cardWidth, height: cardHeight })
  for (const { id, followers } of nodes) for (const follower of followers) graph.setEdge(id, follower.id)
  layout(graph)
  const places = new Map(
    nodes.map(({ id }) => {
      const { x = 0, y = 0 } = graph.node(id) as Partial<Place>
      return [id, { x: x - cardWidth / 2, y: y - cardHeight / 2 }]
    }),
  )
  const all = [...places.values()]
  const width = Math.max(1, ...all.map(({ x }) => x + cardWidth))
  const height = Math.max(1, ...all.map(({ y }) => y + cardHeight))
  return { direction, places, width, height }
}
