import { useReactFlow, useStoreApi } from '@xyflow/react'
import { useEffect } from 'react'
import { cardHeight, cardWidth } from '../../topology/graph/layout.ts'
import type { Selected } from '../state/state.ts'

const moveMs = 200
/** The panel takes its room first. */
const panelMs = 60
const marginPx = 16

/** What is selected is seen, also when the panel takes some of the room: the graph moves by as much as that needs. */
export function KeepInView({ selected }: { readonly selected: Selected }) {
  const { getNode, setViewport } = useReactFlow()
  const store = useStoreApi()
  const key = selected?.kind === 'node' ? selected.key : null
  useEffect(() => {
    if (key === null) return
    const timer = setTimeout(() => {
      const card = getNode(key)
      if (card === undefined) return
      const { transform, width, height } = store.getState()
      const [x, y, zoom] = transform
      const dx = needed(card.position.x * zoom + x, cardWidth * zoom, width)
      const dy = needed(card.position.y * zoom + y, cardHeight * zoom, height)
      if (dx !== 0 || dy !== 0) void setViewport({ x: x + dx, y: y + dy, zoom }, { duration: moveMs })
    }, panelMs)
    return () => clearTimeout(timer)
  }, [key, getNode, setViewport, store])
  return null
}

/** By how much what begins at `from` has to move to be seen whole. */
function needed(from: number, size: number, room: number): number {
  if (from < marginPx) return marginPx - from
  return Math.min(0, room - marginPx - (from + size))
}
