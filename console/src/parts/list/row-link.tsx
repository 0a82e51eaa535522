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
    <a href={href} className={`${classes.link} ${className}`} tabIndex={-1} onClick={leaveToRow} onAuxClick={leaveKeys}>
      {children}
    </a>
  )
}

/** A plain click is one on the row; any other is the browser's alone. The keys stay with the list after each. */
function leaveToRow(event: MouseEvent<HTMLAnchorElement>): void {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) event.stopPropagation()
  else event.preventDefault()
  leaveKeys(event)
}

/** A link that was pressed has the focus, and keys of a list act where that has it. */
function leaveKeys({ currentTarget }: MouseEvent<HTMLAnchorElement>): void {
  currentTarget.closest<HTMLElement>('[role="grid"]')?.focus({ preventScroll: true })
}
