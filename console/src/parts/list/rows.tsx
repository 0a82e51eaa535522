import { Button, Group } from '@mantine/core'
import { useEffect, useId, useRef } from 'react'
import type { ReactNode } from 'react'
import { grouped } from '../show/format.ts'
import { Problem } from '../problem.tsx'
import type { Source } from './book.ts'
import { rowsMax } from './book.ts'
import classes from './rows.module.css'
import { useListKeys } from './keys.ts'
import { useRows } from './use-rows.ts'
import type { Rows } from './use-rows.ts'

interface RowListProps<T> {
  /** What is listed, for those who hear it. */
  readonly label: string
  readonly source: Source<T>
  readonly rowHeight: number
  readonly head?: ReactNode
  /** The cells of a row; each is a `gridcell`. */
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
        aria-rowcount={known.isWhole ? known.total : -1}
        aria-activedescendant={keys.here >= 0 ? `${id}-${keys.here}` : undefined}
        aria-multiselectable={props.select ? true : undefined}
        tabIndex={0}
      >
        <div className={classes.space} style={{ height: rows.height }} role="presentation">
          {rows.shown.map(({ index, start, row }) => (
            <div
              key={index}
              id={`${id}-${index}`}
              role="row"
              aria-rowindex={index + 1}
              aria-selected={row !== null && props.isSelected ? props.isSelected(row) : undefined}
              data-here={index === keys.here || undefined}
              data-keys={keys.isUsed || undefined}
              data-open={(row !== null && props.openId === source.idOf(row)) || undefined}
              className={classes.row}
              style={{ height: rowHeight, transform: `translateY(${start}px)` }}
              onClick={() => row !== null && keys.open(index, row)}
            >
              {row === null ? (
                <Waiting rows={rows} index={index} />
              ) : (
                props.render(row, (isRange) => keys.toggle(index, isRange))
              )}
            </div>
          ))}
        </div>
      </div>
      <Foot rows={rows} {...props} />
    </div>
  )
}

function Waiting<T>({ rows, index }: { readonly rows: Rows<T>; readonly index: number }) {
  return (
    <div role="gridcell" className={classes.wait}>
      {rows.error !== null && index >= rows.known.total ? (
        <Group gap="xs">
          The next ones can’t be read
          <Button
            variant="default"
            onClick={(event) => {
              event.stopPropagation()
              rows.again()
            }}
          >
            Try again
          </Button>
        </Group>
      ) : (
        'Loading…'
      )}
    </div>
  )
}

function Foot<T>({ rows: { known, rowAt }, source, many, goOnFrom }: RowListProps<T> & { readonly rows: Rows<T> }) {
  const last = known.total >= rowsMax ? rowAt(known.total - 1) : null
  return (
    <div className={classes.foot} role="status">
      {known.isWhole && known.total < rowsMax
        ? `${grouped(known.total)} in all`
        : `${grouped(known.total)} read, there are more ${many}`}
      {last !== null && goOnFrom && (
        <Button variant="subtle" size="compact-xs" ml="xs" onClick={() => goOnFrom(source.timeOf(last))}>
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
