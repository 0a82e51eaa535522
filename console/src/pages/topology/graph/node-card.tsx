import { Handle, Position, useStore } from '@xyflow/react'
import type { Node as FlowNode, NodeProps } from '@xyflow/react'
import { memo } from 'react'
import type { Node } from '../../../api/engine.ts'
import { compact, grouped, orDash, rate } from '../../../parts/show/format.ts'
import { Icon } from '../../../parts/icons.tsx'
import type { Figures } from '../figures.ts'
import classes from './graph.module.css'
import type { Direction } from './layout.ts'

export interface CardData extends Record<string, unknown> {
  readonly node: Node
  readonly figures: Figures
  readonly isBottleneck: boolean
  readonly isChosen: boolean
  readonly direction: Direction
}

export type CardNode = FlowNode<CardData, 'card'>

/** From farther away figures can't be read: then a card shows its name and what waits, large. */
export const farZoom = 0.45

function Card({ data }: NodeProps<CardNode>) {
  const { node, figures, isBottleneck, isChosen, direction } = data
  const isFar = useStore(({ transform }) => transform[2] < farZoom)
  const isRight = direction === 'right'
  return (
    <div
      className={classes.card}
      data-state={stateOf(node, figures)}
      data-bottleneck={isBottleneck}
      data-chosen={isChosen}
      data-far={isFar}
    >
      <Handle
        type="target"
        position={isRight ? Position.Left : Position.Top}
        isConnectable={false}
        className={classes.handle}
      />
      <div className={classes.head}>
        {!isFar && <Icon name={node.type} size={14} />}
        <button
          type="button"
          className={`${classes.title} ${classes.whole}`}
          title={node.name}
          aria-label={spoken(node, figures, isBottleneck)}
        >
          {node.name}
        </button>
        {isBottleneck && !isFar && <span className={classes.tag}>Bottleneck</span>}
      </div>
      {isFar ? (
        <div className={classes.far}>{figures.waiting === 0 ? '' : orDash(figures.waiting, compact)}</div>
      ) : (
        <Near node={node} figures={figures} />
      )}
      <Handle
        type="source"
        position={isRight ? Position.Right : Position.Bottom}
        isConnectable={false}
        className={classes.handle}
      />
    </div>
  )
}

function Near({ node, figures }: { readonly node: Node; readonly figures: Figures }) {
  return node.prefetch === null ? (
    <EventFacts node={node} figures={figures} />
  ) : (
    <QueueFacts node={node} figures={figures} />
  )
}

/**
 * A node of the graph: what it is, how much waits, how much it does, and what is wrong. Of hundreds only those are drawn anew of
 * which something is another.
 */
export const NodeCard = memo(
  Card,
  ({ data: one }, { data: other }) =>
    one.node === other.node &&
    one.isBottleneck === other.isBottleneck &&
    one.isChosen === other.isChosen &&
    one.direction === other.direction &&
    JSON.stringify(one.figures) === JSON.stringify(other.figures),
)

/** All that the card shows, for who hears it. */
function spoken(
  { name, type, prefetch }: Node,
  { waiting, inFlight, why, openTrash }: Figures,
  isBottleneck: boolean,
): string {
  const parts = [
    `${name}, ${type}`,
    waiting === null ? null : `${grouped(waiting)} waiting`,
    prefetch === null || inFlight === null ? null : `${grouped(inFlight)} in flight`,
    why,
    openTrash !== null && openTrash > 0 ? `${grouped(openTrash)} failed` : null,
    isBottleneck ? 'the bottleneck' : null,
  ]
  return parts.filter((part) => part !== null).join(', ')
}

function stateOf(node: Node, { why, worker }: Figures): string {
  if (node.published === null) return 'new'
  if (node.leaving !== null) return 'leaving'
  if (why === 'calls fail' || worker?.usable === 0) return 'bad'
  if (why === 'paused' || !node.enabled) return 'rests'
  return 'usual'
}

function EventFacts({ node, figures }: { readonly node: Node; readonly figures: Figures }) {
  const { waiting, ratePerSecond } = figures
  return (
    <>
      <dl className={classes.facts}>
        <Fact word="waiting" value={orDash(waiting, compact)} full={orDash(waiting, grouped)} />
        <Fact word="rate" value={rate(ratePerSecond)} />
        {(node.queued ?? 0) > 0 && <Fact word="queued runs" value={compact(node.queued ?? 0)} />}
      </dl>
      <div className={classes.foot}>
        <span>{eventText(node)}</span>
      </div>
    </>
  )
}

function eventText({ type, enabled, cron }: Node): string {
  if (!enabled) return 'disabled'
  return type === 'cron' ? (cron ?? 'no schedule') : type
}

function QueueFacts({ node, figures }: { readonly node: Node; readonly figures: Figures }) {
  const { waiting, inFlight, ratePerSecond, openTrash, why, worker } = figures
  const prefetch = node.published?.prefetch ?? node.prefetch ?? 1
  return (
    <>
      <dl className={classes.facts}>
        <Fact
          word="waiting"
          value={orDash(waiting, compact)}
          full={orDash(waiting, grouped)}
          isMuch={waiting !== null && waiting > 0}
        />
        <Fact word="in flight" value={`${orDash(inFlight, grouped)}/${prefetch}`} />
        <Fact word="rate" value={rate(ratePerSecond)} />
      </dl>
      <div className={classes.foot}>
        <span className={classes.why} data-why={why ?? undefined}>
          {footText(node, why)}
        </span>
        {worker !== null && worker.usable < worker.instances && (
          <span className={classes.bad}>
            {worker.usable}/{worker.instances} up
          </span>
        )}
        {openTrash !== null && openTrash > 0 && <span className={classes.bad}>{compact(openTrash)} failed</span>}
      </div>
      <div className={classes.gauge} aria-hidden>
        <div style={{ width: `${Math.min(100, ((inFlight ?? 0) / prefetch) * 100)}%` }} />
      </div>
    </>
  )
}

function footText({ published, leaving, worker }: Node, why: Figures['why']): string {
  if (published === null) return 'not published'
  if (leaving !== null) return leaving === 'drain' ? 'leaves when empty' : 'leaves, its messages to Trash'
  if (why === null || why === 'paused' || why === 'calls fail') return why ?? worker ?? ''
  return `waits: ${why}`
}

interface FactProps {
  readonly word: string
  readonly value: string
  readonly full?: string
  readonly isMuch?: boolean
}

function Fact({ word, value, full, isMuch = false }: FactProps) {
  return (
    <div>
      <dt>{word}</dt>
      <dd title={full} data-much={isMuch}>
        {value}
      </dd>
    </div>
  )
}
