import { Background, ControlButton, Controls, MarkerType, ReactFlow, useReactFlow } from '@xyflow/react'
import type { Edge, NodeChange } from '@xyflow/react'
import '@xyflow/react/dist/base.css'
import { Text } from '@mantine/core'
import { useEffect, useMemo, useState } from 'react'
import type { DragEvent } from 'react'
import { Icon } from '../../../parts/icons.tsx'
import { cardHeight, cardWidth } from '../../topology/graph/layout.ts'
import type { Direction, Place } from '../../topology/graph/layout.ts'
import type { Placed } from '../checking/faults.ts'
import { dragType } from '../palette/palette.tsx'
import { canConnect } from '../state/edits.ts'
import type { EditorState, Selected } from '../state/state.ts'
import { nameOf } from '../state/graph.ts'
import { CardOfNode } from './card.tsx'
import type { EditorCard } from './card.tsx'
import shared from '../../topology/graph/graph.module.css'
import classes from './canvas.module.css'
import { laidOut, missingPlaces } from './places.ts'
import { KeepInView } from './view.tsx'

interface CanvasProps {
  readonly state: EditorState
  readonly faults: readonly Placed[]
  readonly room: { readonly width: number; readonly height: number }
  readonly select: (selected: Selected) => void
  readonly place: (places: Iterable<readonly [string, Place]>) => void
  /** By the id of its entry in the palette. */
  readonly add: (entry: string, at: Place) => void
  readonly connect: (from: string, to: string) => void
}

const nodeTypes = { card: CardOfNode }
const fitting = { padding: 0.12, maxZoom: 1 }

/** The graph, to be drawn: nodes are dragged in and about, and joined by their handles. */
export function Canvas({ state, faults, room, select, place, add, connect }: CanvasProps) {
  const { graph, selected } = state
  const [direction, places, tidy] = usePlaces(state, room, place)
  const cards = useMemo(() => cardsOf(state, places, direction, faults), [state, places, direction, faults])
  const edges = useMemo(() => edgesOf(state, faults), [state, faults])
  const [drop, isOver] = useDrop(add)
  // What is added to an empty graph stays where it was put.
  const [view] = useState(() =>
    graph.nodes.length > 0
      ? { fitView: true }
      : { defaultViewport: { x: 48, y: room.height / 2 - cardHeight / 2, zoom: 1 } },
  )
  const moved = (changes: readonly NodeChange<EditorCard>[]): void => {
    const moves = changes.flatMap((change) =>
      change.type === 'position' && change.position ? [[change.id, change.position] as const] : [],
    )
    if (moves.length > 0) place(moves)
  }
  return (
    <div className={classes.canvas} data-over={isOver} {...drop}>
      <ReactFlow
        nodes={cards}
        edges={edges}
        nodeTypes={nodeTypes}
        onNodesChange={moved}
        onNodeClick={(_, { id }) => select({ kind: 'node', key: id })}
        onEdgeClick={(_, { id }) => select({ kind: 'edge', key: id })}
        onPaneClick={() => select(null)}
        onConnect={({ source, target }) => connect(source, target)}
        isValidConnection={({ source, target }) => canConnect(graph, source, target)}
        edgesFocusable={false}
        elementsSelectable={false}
        nodesFocusable={false}
        deleteKeyCode={null}
        connectionRadius={36}
        onlyRenderVisibleElements
        minZoom={0.08}
        maxZoom={1.5}
        {...view}
        fitViewOptions={fitting}
        className={shared.graph}
        aria-label="The graph of the draft"
      >
        <Background gap={24} className={shared.background ?? ''} />
        <Controls showInteractive={false} className={shared.controls ?? ''} fitViewOptions={fitting}>
          <ControlButton onClick={tidy} title="Tidy up" aria-label="Tidy up">
            <Icon name="topologies" size={14} />
          </ControlButton>
        </Controls>
        <KeepInView selected={selected} />
      </ReactFlow>
      {graph.nodes.length === 0 && <Nothing />}
    </div>
  )
}

function Nothing() {
  return (
    <div className={classes.empty}>
      <Text size="sm" c="dimmed" ta="center" maw={300}>
        Begin with an event: a start, a schedule or a webhook. Then add what workers do, and join them.
      </Text>
    </div>
  )
}

/** Where nodes stand. What is added is put where there is room; all is laid out anew only when somebody asks for it. */
function usePlaces(
  { graph, places }: EditorState,
  room: CanvasProps['room'],
  place: CanvasProps['place'],
): [Direction, ReadonlyMap<string, Place>, () => void] {
  const [direction, setDirection] = useState<Direction>(() => laidOut(graph, room).direction)
  const { fitView } = useReactFlow()
  const missing = useMemo(
    () => missingPlaces(graph, places, () => laidOut(graph, room), direction),
    [graph, places, room, direction],
  )
  useEffect(() => {
    if (missing.length > 0) place(missing)
  }, [missing, place])
  const all = useMemo(() => new Map([...places, ...missing]), [places, missing])
  const tidy = (): void => {
    const layout = laidOut(graph, room)
    setDirection(layout.direction)
    place(layout.places)
    // What moves has to be drawn first.
    requestAnimationFrame(() => void fitView({ ...fitting, duration: 200 }))
  }
  return [direction, all, tidy]
}

function useDrop(add: CanvasProps['add']) {
  const { screenToFlowPosition } = useReactFlow()
  const [isOver, setOver] = useState(false)
  const drop = {
    onDragOver(event: DragEvent) {
      if (!event.dataTransfer.types.includes(dragType)) return
      event.preventDefault()
      event.dataTransfer.dropEffect = 'copy'
      setOver(true)
    },
    onDragLeave: () => setOver(false),
    onDrop(event: DragEvent) {
      setOver(false)
      const carried = event.dataTransfer.getData(dragType)
      if (carried === '') return
      event.preventDefault()
      const { x, y } = screenToFlowPosition({ x: event.clientX, y: event.clientY })
      add(carried, { x: x - cardWidth / 2, y: y - cardHeight / 2 })
    },
  }
  return [drop, isOver] as const
}

const measured = { width: cardWidth, height: cardHeight }

function cardsOf(
  { graph, saved, selected }: EditorState,
  places: ReadonlyMap<string, Place>,
  direction: Direction,
  faults: readonly Placed[],
): EditorCard[] {
  const stored = new Set(saved.nodes.map(({ values }) => values.name))
  return graph.nodes.map(({ key, values }) => {
    const own = faults.filter((fault) => fault.of === 'node' && fault.key === key)
    return {
      id: key,
      type: 'card' as const,
      position: places.get(key) ?? { x: 0, y: 0 },
      ...measured,
      measured,
      data: {
        values,
        direction,
        faults: own.map(({ message }) => message),
        isHint: own.every(({ isHint }) => isHint === true),
        isChosen: selected?.kind === 'node' && selected.key === key,
        isNew: !stored.has(values.name),
      },
    }
  })
}

function edgesOf({ graph, selected }: EditorState, faults: readonly Placed[]): Edge[] {
  const drawn = new Set(graph.nodes.map(({ key }) => key))
  return graph.edges
    .filter(({ from, to }) => drawn.has(from) && drawn.has(to))
    .map(({ key, from, to }) => {
      const isChosen = selected?.kind === 'edge' && selected.key === key
      const isFaulty = faults.some((fault) => fault.of === 'edge' && fault.key === key)
      const look = isFaulty ? classes.faulty : isChosen ? classes.chosen : classes.edge
      const color = isFaulty ? 'var(--bad)' : isChosen ? 'var(--accent)' : 'var(--edge)'
      return {
        id: key,
        source: from,
        target: to,
        ariaLabel: `${nameOf(graph, from)} to ${nameOf(graph, to)}`,
        className: look ?? '',
        markerEnd: { type: MarkerType.ArrowClosed, markerUnits: 'userSpaceOnUse', width: 18, height: 18, color },
      }
    })
}
