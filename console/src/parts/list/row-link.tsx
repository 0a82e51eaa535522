import type { MouseEvent, ReactNode } from 'react'
import classes from './rows.module.css'

interface RowLinkProps {
  /** The page that the row opens. */
  readonly href: string
  readonly children: ReactNode
  readonly className?: string | undefined
}

/** What names a row: a link, so that browsers show where it goes and open it elsewhere. Keys reach it through the list, which is one stop for Tab. */
export function RowLink({ href, children, className = '' }: RowLinkProps) {
  return (
    <a href={href} className={`${classes.link} ${className}`} tabIndex={-1} onClick={leaveToRow}>
      {children}
    </a>
  )
}

/** A plain click is one on the row, and leaves the keys with the list; any other is the browser's alone. */
function leaveToRow(event: MouseEvent<HTMLAnchorElement>): void {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) {
    event.stopPropagation()
    return
  }
  event.preventDefault()
  event.currentTarget.closest<HTMLElement>('[role="grid"]')?.focus({ preventScroll: true })
}
