import { Text } from '@mantine/core'
import type { ReactNode } from 'react'
import type { DraftChanges, NodeChange, ValueChange } from '../../../api/engine.ts'
import classes from './difference.module.css'

type Kind = NodeChange['change']

interface DocumentDifferenceProps {
  /** Of two revisions, of a revision and a draft, or of two drafts. */
  readonly difference: DraftChanges
  /** What is said when there is none. */
  readonly same?: ReactNode
}

/** What differs between two graphs: node by node, value by value, edge by edge. */
export function DocumentDifference({ difference, same = 'Nothing differs.' }: DocumentDifferenceProps) {
  const { values, nodes, edges, reordered } = difference
  if ([values, nodes, edges, reordered].every((list) => list.length === 0)) return <Text size="sm">{same}</Text>
  return (
    <ul className={classes.list} aria-label="What differs">
      {values.length > 0 && (
        <Part kind="changed" name="the topology itself">
          <Values of={values} />
        </Part>
      )}
      {nodes.map(({ name, change, values: of }) => (
        <Part key={name} kind={change} name={name} what="node">
          <Values of={of} />
        </Part>
      ))}
      {edges.map(({ from, to, change }) => (
        <Part key={`${from} ${to}`} kind={change} name={`${from} → ${to}`} what="edge" />
      ))}
      {reordered.map((what) => (
        <Part key={what} kind="changed" name={`the order of ${what}`} />
      ))}
    </ul>
  )
}

const signs = { added: '+', removed: '−', changed: '~' } as const

interface PartProps {
  readonly kind: Kind
  readonly name: string
  readonly what?: string
  readonly children?: ReactNode
}

function Part({ kind, name, what, children }: PartProps) {
  return (
    <li className={classes.part} data-kind={kind}>
      <span className={classes.sign} aria-hidden>
        {signs[kind]}
      </span>
      <div className={classes.body}>
        {what !== undefined && <span className={classes.what}>{what} </span>}
        <b>{name}</b> <span className={classes.kind}>{kind}</span>
        {children}
      </div>
    </li>
  )
}

function Values({ of }: { readonly of: readonly ValueChange[] }) {
  if (of.length === 0) return null
  return (
    <dl className={classes.values}>
      {of.map((change) => (
        <div key={change.path}>
          <dt>{change.path}</dt>
          <dd>
            {'before' in change && <del className={classes.was}>{textOf(change.before)}</del>}
            {'before' in change && 'after' in change && (
              <span className={classes.arrow} aria-label="becomes">
                →
              </span>
            )}
            {'after' in change && <ins className={classes.is}>{textOf(change.after)}</ins>}
          </dd>
        </div>
      ))}
    </dl>
  )
}

/** A text that reads as one word needs no quotes. */
function textOf(value: unknown): string {
  return typeof value === 'string' && /^[\w./:-]+$/.test(value) ? value : JSON.stringify(value)
}
