import { useVirtualizer } from '@tanstack/react-virtual'
import { useRef } from 'react'
import type { KeyboardEvent, ReactNode } from 'react'
import classes from './body.module.css'

interface LinesProps {
  readonly label: string
  readonly count: number
  readonly role?: 'tree'
  readonly active?: string | undefined
  readonly onKeyDown?: (event: KeyboardEvent, scrollTo: (index: number) => void) => void
  readonly line: (index: number, style: { height: number; transform: string }) => ReactNode
}

const lineHeight = 20

/** Lines of one height, of which only those in sight are drawn. */
export function Lines({ label, count, role, active, onKeyDown, line }: LinesProps) {
  const scroller = useRef<HTMLDivElement>(null)
  // No compiler memoizes here what it answers.
  // eslint-disable-next-line react-hooks/incompatible-library
  const virtual = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => lineHeight,
    overscan: 20,
  })
  return (
    <div
      ref={scroller}
      className={classes.scroller}
      role={role ?? 'region'}
      aria-label={label}
      aria-activedescendant={active}
      tabIndex={0}
      onKeyDown={(event) => onKeyDown?.(event, (index) => virtual.scrollToIndex(index))}
    >
      <div className={classes.space} style={{ height: virtual.getTotalSize() }} role="presentation">
        {virtual
          .getVirtualItems()
          .map(({ index, start }) => line(index, { height: lineHeight, transform: `translateY(${start}px)` }))}
      </div>
    </div>
  )
}
