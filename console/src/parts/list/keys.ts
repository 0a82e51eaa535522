import { useEffect, useRef, useState } from 'react'
import type { RefObject } from 'react'
import type { Rows } from './use-rows.ts'

interface Acts<T> {
  readonly open: (row: T) => void
  readonly openId?: string | null
  readonly select?: (rows: readonly T[], left: number) => void
}

interface ListKeys<T> {
  /** Index of the row that keys act on; -1: none yet. */
  readonly here: number
  readonly isUsed: boolean
  readonly acts: RowActs<T>
}

/** The same for the life of a list, so that rows needn't be drawn anew for them. */
export interface RowActs<T> {
  readonly open: (index: number, row: T) => void
  readonly toggle: (index: number, isRange: boolean) => void
}

/** Keys of a list. Letters act from everywhere on the page but where one writes; arrows where the list or nothing has the focus. */
export function useListKeys<T>(
  rows: Rows<T>,
  scroller: RefObject<HTMLElement | null>,
  rowHeight: number,
  acts: Acts<T>,
): ListKeys<T> {
  const [here, setHere] = useState(-1)
  const [last, setLast] = useState(-1)
  const [isUsed, setUsed] = useState(false)
  const go = (index: number): void => {
    const to = Math.max(0, Math.min(rows.known.total - 1, index))
    setHere(to)
    setUsed(true)
    rows.scrollTo(to)
    const row = rows.rowAt(to)
    // While one is open beside the list, the open one is the one that keys stand on.
    if (row !== null && typeof acts.openId === 'string') acts.open(row)
  }
  const toggle = (index: number, isRange: boolean): void => {
    const [from, to] = isRange && last >= 0 ? [Math.min(last, index), Math.max(last, index)] : [index, index]
    const range = Array.from({ length: to - from + 1 }, (_, at) => rows.rowAt(from + at))
    const known = range.filter((row) => row !== null)
    setLast(index)
    setHere(index)
    acts.select?.(known, range.length - known.length)
  }
  const press = (event: KeyboardEvent): void => {
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? rowHeight) / rowHeight) - 1)
    const step = stepOf(event.key, page, rows.known.total)
    const row = rows.rowAt(here)
    if (step !== null) go(here + step)
    else if (event.key === 'Enter' && row !== null) acts.open(row)
    else if ((event.key === 'x' || event.key === 'X' || event.key === ' ') && acts.select) toggle(here, event.shiftKey)
    else return
    event.preventDefault()
  }
  const open = (index: number, row: T): void => {
    setHere(index)
    acts.open(row)
  }
  const latest = useRef({ press, open, toggle })
  useEffect(() => {
    latest.current = { press, open, toggle }
  })
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (isMeant(event, scroller.current)) latest.current.press(event)
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [scroller])
  const [lasting] = useState<RowActs<T>>(() => ({
    open: (index, row) => latest.current.open(index, row),
    toggle: (index, isRange) => latest.current.toggle(index, isRange),
  }))
  return { here, isUsed, acts: lasting }
}

function stepOf(key: string, page: number, total: number): number | null {
  switch (key) {
    case 'j':
    case 'ArrowDown':
      return 1
    case 'k':
    case 'ArrowUp':
      return -1
    case 'PageDown':
      return page
    case 'PageUp':
      return -page
    case 'Home':
      return -total
    case 'End':
      return total
    default:
      return null
  }
}

/** Whether a key is for the list: nobody writes, no dialog is open, and arrows scroll nothing else. */
function isMeant(event: KeyboardEvent, list: HTMLElement | null): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return false
  const { target } = event
  if (!(target instanceof HTMLElement) || list === null) return false
  if (target.closest('input, textarea, select, [contenteditable], [role="dialog"], [role="menu"], [role="listbox"]'))
    return false
  if (document.querySelector('[role="dialog"][aria-modal="true"]') !== null) return false
  if (['j', 'k', 'x', 'X'].includes(event.key)) return true
  return target === document.body || target.id === 'page' || target === list
}
