import { Button, Group } from '@mantine/core'
import { memo, useEffect, useId, useRef } from 'react'
import type { ReactNode } from 'react'
import { Problem } from '../problem.tsx'
import type { Source } from './book.ts'
import { justAfter } from './book.ts'
import classes from './rows.module.css'
import { extentOf } from './extent.ts'
import { useListKeys } from './keys.ts'
import type { RowActs } from './keys.ts'
import { useRows } from './use-rows.ts'
import type { Rows } from './use-rows.ts'

interface RowListProps<T> {
  /** What is listed, for those who hear it. */
  readonly label: string
  readonly source: Source<T>
  readonly rowHeight: number
  readonly head?: ReactNode
  /** The cells of a row; each is a `gridcell`, and what names the row in it a `RowLink` to what `open` opens. */
  readonly render: (row: T, toggle: (isRange: boolean) => void) => ReactNode
  readonly open: (row: T) => void
  /** Of the row that is open beside the list. */
  readonly openId?: string | null
  /** By Space and x, or what the row has for it. With Shift all from the last one on; those that aren't read are left out, and told of. */
  readonly select?: (rows: readonly T[], left: number) => void
  readonly isSelected?: (row: T) => boolean
  readonly empty: ReactNode
  /** Rows come in at the top while nobody is at work in the list; otherwise they are told of. */
  readonly isHeld?: boolean
  /** From a time on, when a list is too long to be scrolled through. */
  readonly goOnFrom?: (time: string) => void
  /** Something above it narrows it. */
  readonly isNarrowable?: boolean
  /** What newer rows are called: `failures`. */
  readonly many: string
}

/** A list of any length. j and k or the arrows go through it, Enter opens, wherever on the page one is. */
export function RowList<T>(props: RowListProps<T>) {
  // Another filter is another list, with a place of its own.
  return <OneList key={JSON.stringify(props.source.key)} {...props} />
}

function OneList<T>(props: RowListProps<T>) {
  const { label, source, rowHeight, head, empty, isHeld = false, many } = props
  const scroller = useRef<HTMLDivElement>(null)
  const id = useId()
  const rows = useRows(source, scroller, rowHeight)
  const keys = useListKeys(rows, scroller, rowHeight, props)
  useArrivals(rows, scroller, isHeld || keys.here > 0)
  const { known } = rows
  if (rows.error !== null && known.total === 0) return <Problem error={rows.error} again={rows.again} />
  if (known.total === 0 && known.isWhole) return <div className={classes.frame}>{empty}</div>
  return (
    <div className={classes.frame}>
      {head !== undefined && <div className={classes.head}>{head}</div>}
      {rows.isOld && (
        <button type="button" className={classes.newer} onClick={() => void rows.renew()}>
          There are newer {many}: show them
        </button>
      )}
      <div
        ref={scroller}
        className={classes.scroller}
        role="grid"
        aria-label={label}
        aria-rowcount={known.isWhole && !known.isCut ? known.total : -1}
        aria-activedescendant={keys.here >= 0 ? `${id}-${keys.here}` : undefined}
        aria-multiselectable={props.select ? true : undefined}
        tabIndex={0}
      >
        <div className={classes.space} style={{ height: rows.height }} role="presentation">
          {rows.shown.map(({ index, start, row }) => (
            <OneRow
              key={index}
              id={`${id}-${index}`}
              index={index}
              start={start}
              height={rowHeight}
              row={row}
              isHere={index === keys.here}
              isByKeys={keys.isUsed}
              isOpen={row !== null && props.openId === source.idOf(row)}
              isSelected={row !== null && props.isSelected ? props.isSelected(row) : undefined}
              render={props.render}
              acts={keys.acts}
              missing={rows.error !== null && index >= known.total ? rows.again : null}
            />
          ))}
        </div>
      </div>
      <Foot rows={rows} {...props} />
    </div>
  )
}

interface OneRowProps<T> {
  readonly id: string
  readonly index: number
  readonly start: number
  readonly height: number
  readonly row: T | null
  readonly isHere: boolean
  readonly isByKeys: boolean
  readonly isOpen: boolean
  readonly isSelected: boolean | undefined
  readonly render: RowListProps<T>['render']
  readonly acts: RowActs<T>
  /** It could not be read: reads it again. */
  readonly missing: (() => void) | null
}

/** Drawn anew only when something of it changed: while one scrolls, each frame has but a few rows that are new. */
const OneRow = memo(DrawnRow) as typeof DrawnRow

function DrawnRow<T>({ id, index, start, height, row, render, acts, missing, ...is }: OneRowProps<T>) {
  return (
    <div
      id={id}
      role="row"
      aria-rowindex={index + 1}
      aria-selected={is.isSelected}
      data-here={is.isHere || undefined}
      data-keys={is.isByKeys || undefined}
      data-open={is.isOpen || undefined}
      className={classes.row}
      style={{ height, transform: `translateY(${start}px)` }}
      onClick={() => row !== null && acts.open(index, row)}
    >
      {row === null ? <Waiting missing={missing} /> : render(row, (isRange) => acts.toggle(index, isRange))}
    </div>
  )
}

function Waiting({ missing }: { readonly missing: (() => void) | null }) {
  return (
    <div role="gridcell" className={classes.wait}>
      {missing === null ? (
        'Loading…'
      ) : (
        <Group gap="xs">
          The next ones can’t be read
          <Button
            variant="default"
            onClick={(event) => {
              event.stopPropagation()
              missing()
            }}
          >
            Try again
          </Button>
        </Group>
      )}
    </div>
  )
}

type FootProps<T> = RowListProps<T> & { readonly rows: Rows<T> }

function Foot<T>({ rows: { known, rowAt }, source, many, goOnFrom, isNarrowable = false }: FootProps<T>) {
  const last = known.isCut ? rowAt(known.total - 1) : null
  return (
    <div className={classes.foot} role="status">
      {extentOf(known, many, isNarrowable)}
      {last !== null && goOnFrom && (
        <Button variant="subtle" size="compact-xs" ml="xs" onClick={() => goOnFrom(justAfter(source.timeOf(last)))}>
          Go on with older ones
        </Button>
      )}
    </div>
  )
}

/** What is new comes in by itself while the list is at its top and nobody works in it. */
function useArrivals<T>(rows: Rows<T>, scroller: { readonly current: HTMLElement | null }, isHeld: boolean): void {
  const renew = useRef(rows.renew)
  useEffect(() => {
    renew.current = rows.renew
  })
  const { isOld } = rows
  useEffect(() => {
    if (isOld && !isHeld && (scroller.current?.scrollTop ?? 0) === 0) void renew.current()
  }, [isOld, isHeld, scroller])
}
