import { useId, useMemo, useState } from 'react'
import type { KeyboardEvent } from 'react'
import classes from './body.module.css'
import { flatten } from './flatten.ts'
import type { TreeRow } from './flatten.ts'
import { Lines } from './lines.tsx'

interface JsonTreeProps {
  readonly label: string
  readonly value: unknown
  /** What is wrong, by JSON Pointer: it is opened, and said there. */
  readonly faults?: readonly { readonly path: string; readonly message: string }[]
}

/** JSON of any size. Arrows go through it; right opens, left closes. */
export function JsonTree({ label, value, faults = [] }: JsonTreeProps) {
  const id = useId()
  const [toggled, setToggled] = useState<ReadonlyMap<string, boolean>>(new Map())
  const [here, setHere] = useState(-1)
  const opened = useMemo(() => new Map([...aboveOf(faults), ...toggled]), [faults, toggled])
  const rows = useMemo(() => flatten(value, opened), [value, opened])
  const said = useMemo(() => new Map(faults.map(({ path, message }) => [path, message])), [faults])
  const set = (row: TreeRow | undefined, isOpen: boolean): void => {
    if (row && row.isOpen !== null) setToggled((before) => new Map(before).set(row.path, isOpen))
  }
  const press = (event: KeyboardEvent, scrollTo: (index: number) => void): void => {
    const row = rows[here]
    const to = nextOf(event.key, here, rows)
    if (event.key === 'ArrowRight' && row?.isOpen === false) set(row, true)
    else if (event.key === 'ArrowLeft' && row?.isOpen === true) set(row, false)
    else if (event.key === 'Enter' || event.key === ' ') set(row, row?.isOpen === false)
    else if (to !== null) {
      setHere(to)
      scrollTo(to)
    } else return
    event.preventDefault()
  }
  return (
    <Lines
      label={label}
      role="tree"
      count={rows.length}
      active={rows[here] ? `${id}-${here}` : undefined}
      onKeyDown={press}
      line={(index, style) => {
        const row = rows[index]
        return row ? (
          <Line
            key={row.path}
            id={`${id}-${index}`}
            row={row}
            style={style}
            isHere={index === here}
            fault={said.get(row.path)}
            press={() => {
              setHere(index)
              set(row, row.isOpen === false)
            }}
          />
        ) : null
      }}
    />
  )
}

interface LineProps {
  readonly id: string
  readonly row: TreeRow
  readonly style: { height: number; transform: string }
  readonly isHere: boolean
  readonly fault: string | undefined
  readonly press: () => void
}

function Line({ id, row, style, isHere, fault, press }: LineProps) {
  const { depth, kind, name, text, isOpen } = row
  return (
    <div
      id={id}
      role="treeitem"
      aria-level={depth + 1}
      aria-expanded={isOpen ?? undefined}
      aria-selected={isHere}
      data-here={isHere || undefined}
      data-fault={fault !== undefined || undefined}
      className={isOpen === null ? classes.line : `${classes.line} ${classes.opens}`}
      style={{ ...style, paddingLeft: 8 + depth * 14 }}
      onClick={press}
    >
      <span className={classes.twist}>{isOpen === null ? '' : isOpen ? '▾' : '▸'}</span>
      {name !== '' && <span className={kind === 'part' ? classes.part : classes.name}>{name}</span>}
      <span className={classes[kind]}>{text}</span>
      {fault !== undefined && <span className={classes.fault}>← {fault}</span>}
    </div>
  )
}

function nextOf(key: string, here: number, rows: readonly TreeRow[]): number | null {
  const last = rows.length - 1
  if (key === 'ArrowDown' || key === 'ArrowRight') return Math.min(last, here + 1)
  if (key === 'ArrowUp') return Math.max(0, here - 1)
  if (key === 'Home') return 0
  if (key === 'End') return last
  if (key !== 'ArrowLeft') return null
  const depth = rows[here]?.depth ?? 0
  return Math.max(
    0,
    rows.slice(0, Math.max(0, here)).findLastIndex((row) => row.depth < depth),
  )
}

/** What has to be open so that faults are seen. */
function aboveOf(faults: readonly { readonly path: string }[]): [string, boolean][] {
  return faults.flatMap(({ path }) => {
    const names = path.split('/')
    return names.slice(0, -1).map((_, at): [string, boolean] => [names.slice(0, at + 1).join('/'), true])
  })
}
