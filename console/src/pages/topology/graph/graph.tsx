import { Background, Controls, MarkerType, MiniMap, ReactFlow, useReactFlow } from '@xyflow/react'
import type { Edge } from '@xyflow/react'
import '@xyflow/react/dist/base.css'
import { useEffect, useMemo, useRef } from 'react'
import type { MouseEvent as ReactMouseEvent } from 'react'
import type { Node } from '../../../api/engine.ts'
import { bottleneckOf, flowsOf } from '../figures.ts'
import type { Figures } from '../figures.ts'
import classes from './graph.module.css'
import { cardHeight, cardWidth, layoutOf } from './layout.ts'
import type { Layout } from './layout.ts'
import { NodeCard, farZoom } from './node-card.tsx'
import type { CardNode } from './node-card.tsx'

interface GraphProps {
  readonly nodes: readonly Node[]
  readonly figures: ReadonlyMap<string, Figures>
  /** That there is, also when a panel takes some of it. */
  readonly room: { readonly width: number; readonly height: number }
  /** Its id; null: none. */
  readonly chosen: string | null
  readonly choose: (id: string | null) => void
  readonly menu: (id: string, at: { x: number; y: number }) => void
}

const nodeTypes = { card: NodeCard }
/** With more of them, lines that move cost more than they tell. */
const movingMax = 80
const mapFrom = 24
const narrowPx = 640
const fitting = { padding: 0.06, maxZoom: 1 }

/** The graph as it is, to be looked at: it is laid out anew only when the graph itself changes. */
export function TopologyGraph({ nodes, figures, room, chosen, choose, menu }: GraphProps) {
  const shape = nodes.map(({ id, followers }) => `${id}>${followers.map((follower) => follower.id).join()}`).join(';')
  const isNarrow = room.width < narrowPx
  // eslint-disable-next-line react-hooks/exhaustive-deps -- the shape is all that counts of the nodes, and the room only roughly
  const layout = useMemo(() => layoutOf(nodes, room), [shape, isNarrow])
  const cards = useMemo(() => cardsOf(nodes, figures, layout, chosen), [nodes, figures, layout, chosen])
  const edges = useMemo(() => edgesOf(nodes, figures), [nodes, figures])
  const openMenu = (event: ReactMouseEvent, card: CardNode): void => {
    event.preventDefault()
    menu(card.id, { x: event.clientX, y: event.clientY })
  }
  return (
    <ReactFlow
      nodes={cards}
      edges={edges}
      nodeTypes={nodeTypes}
      onNodeClick={(_, card) => choose(card.id)}
      onPaneClick={() => choose(null)}
      onNodeContextMenu={openMenu}
      onNodeDoubleClick={(_, card) => choose(card.id)}
      nodesDraggable={false}
      nodesConnectable={false}
      edgesFocusable={false}
      elementsSelectable={false}
      nodesFocusable={false}
      deleteKeyCode={null}
      onlyRenderVisibleElements
      minZoom={0.08}
      maxZoom={1.5}
      fitView
      fitViewOptions={fitting}
      className={classes.graph}
      aria-label="The graph of the topology"
    >
      <Background gap={24} className={classes.background ?? ''} />
      <Controls showInteractive={false} className={classes.controls ?? ''} />
      {nodes.length >= mapFrom && <MiniMap pannable zoomable className={classes.map ?? ''} />}
      <KeepInView shape={`${layout.direction} ${shape}`} chosen={chosen} isSmall={nodes.length < mapFrom} />
    </ReactFlow>
  )
}

interface KeepInViewProps {
  readonly shape: string
  readonly chosen: string | null
  readonly isSmall: boolean
}

const moveMs = 200

/** A graph that has changed is shown whole; so is a small one when the panel comes or goes. In a large one the node stays in view. */
function KeepInView({ shape, chosen, isSmall }: KeepInViewProps) {
  const { fitView, getNode, getZoom, setCenter } = useReactFlow()
  const isChosen = chosen !== null
  const isFirst = useRef(true)
  useEffect(() => {
    if (isFirst.current) {
      isFirst.current = false
      return
    }
    // The panel takes its room first.
    const timer = setTimeout(() => {
      const card = chosen === null ? undefined : getNode(chosen)
      if (isSmall || card === undefined) void fitView({ ...fitting, duration: moveMs })
      else
        void setCenter(card.position.x + cardWidth / 2, card.position.y + cardHeight / 2, {
          zoom: Math.max(getZoom(), farZoom),
          duration: moveMs,
        })
    }, 50)
    return () => clearTimeout(timer)
    // eslint-disable-next-line react-hooks/exhaustive-deps -- which node is chosen only counts when the panel comes
  }, [shape, isChosen, isSmall])
  return null
}

function cardsOf(
  nodes: readonly Node[],
  figures: ReadonlyMap<string, Figures>,
  { direction, places }: Layout,
  chosen: string | null,
): CardNode[] {
  const bottleneck = bottleneckOf(figures)
  return nodes.flatMap((node) => {
    const own = figures.get(node.id)
    const position = places.get(node.id)
    if (own === undefined || position === undefined) return []
    const data = {
      node,
      figures: own,
      direction,
      isBottleneck: node.id === bottleneck,
      isChosen: node.id === chosen,
    }
    return [{ id: node.id, type: 'card' as const, position, data, width: cardWidth, height: cardHeight }]
  })
}

/** Lines tell how much goes over them. */
function edgesOf(nodes: readonly Node[], figures: ReadonlyMap<string, Figures>): Edge[] {
  const flows = flowsOf(nodes, figures)
  return flows.map(({ source, target, perSecond }) => {
    const isFlowing = perSecond > 0
    const width = 1.5 + Math.min(4, Math.log10(1 + perSecond) * 1.4)
    return {
      id: `${source}>${target}`,
      source,
      target,
      className: (isFlowing ? classes.flowing : classes.still) ?? '',
      animated: isFlowing && flows.length <= movingMax,
      style: { strokeWidth: width },
      markerEnd: {
        type: MarkerType.ArrowClosed,
        markerUnits: 'userSpaceOnUse',
        width: 18,
        height: 18,
        color: isFlowing ? 'var(--accent)' : 'var(--edge)',
      },
    }
  })
}
