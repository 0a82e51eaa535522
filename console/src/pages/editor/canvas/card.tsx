import { Handle, Position } from '@xyflow/react'
import type { Node as FlowNode, NodeProps } from '@xyflow/react'
import { memo } from 'react'
import type { TopologyDocumentNode } from '../../../api/engine.ts'
import { Icon } from '../../../parts/icons.tsx'
import { counted } from '../../../parts/show/format.ts'
import type { Direction } from '../../topology/graph/layout.ts'
import { isEvent, typeOf } from '../state/graph.ts'
import shared from '../../topology/graph/graph.module.css'
import classes from './canvas.module.css'

interface CardData extends Record<string, unknown> {
  readonly values: TopologyDocumentNode
  readonly direction: Direction
  readonly faults: readonly string[]
  /** Only its worker would refuse something. */
  readonly isHint: boolean
  readonly isChosen: boolean
  /** It isn't in what is saved. */
  readonly isNew: boolean
}

export type EditorCard = FlowNode<CardData, 'card'>

function Card({ data: { values, direction, faults, isHint, isChosen, isNew } }: NodeProps<EditorCard>) {
  const isRight = direction === 'right'
  const type = typeOf(values)
  return (
    <div
      className={`${shared.card} ${classes.card}`}
      data-chosen={isChosen}
      data-faulty={faults.length > 0 && !isHint}
      data-new={isNew}
    >
      {!isEvent(type) && (
        <Handle type="target" position={isRight ? Position.Left : Position.Top} className={classes.handle} />
      )}
      <div className={shared.head}>
        <Icon name={type} size={14} />
        <button type="button" className={shared.title} title={values.name} aria-label={spoken(values, faults)}>
          {values.name === '' ? '(no name)' : values.name}
        </button>
        {faults.length > 0 && (
          <span className={classes.count} data-hint={isHint} title={faults.join('\n')}>
            {faults.length}
          </span>
        )}
      </div>
      <div className={classes.what}>{whatOf(values)}</div>
      <div className={classes.foot}>{factsOf(values)}</div>
      <Handle type="source" position={isRight ? Position.Right : Position.Bottom} className={classes.handle} />
    </div>
  )
}

/** A node as it is drawn: what it is called, who handles it, and what is set. */
export const CardOfNode = memo(
  Card,
  ({ data: one }, { data: other }) =>
    one.values === other.values &&
    one.direction === other.direction &&
    one.isChosen === other.isChosen &&
    one.isNew === other.isNew &&
    one.isHint === other.isHint &&
    one.faults.join('\n') === other.faults.join('\n'),
)

function spoken(values: TopologyDocumentNode, faults: readonly string[]): string {
  const parts = [values.name, typeOf(values), faults.length > 0 ? counted(faults.length, 'fault') : null]
  return parts.filter((part) => part !== null && part !== '').join(', ')
}

function whatOf(values: TopologyDocumentNode): string {
  const { worker, uses, name, cron } = values
  const type = typeOf(values)
  if (type === 'cron') return cron ?? 'no schedule yet'
  if (isEvent(type)) return type === 'start' ? 'begins runs' : 'takes deliveries'
  return worker === undefined ? 'no worker yet' : `${worker} / ${uses ?? name}`
}

function factsOf({ type, prefetch, partitions, service, enabled }: TopologyDocumentNode): string {
  const facts = isEvent(type)
    ? [enabled === false ? 'disabled' : null]
    : [
        partitions !== undefined && partitions > 1 ? `${partitions} partitions` : `prefetch ${prefetch ?? 1}`,
        service === undefined ? null : service,
      ]
  return facts.filter((fact) => fact !== null).join(' · ')
}
