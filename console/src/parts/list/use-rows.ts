import { useQueries, useQuery, useQueryClient } from '@tanstack/react-query'
import { useVirtualizer } from '@tanstack/react-virtual'
import type { Virtualizer } from '@tanstack/react-virtual'
import { useEffect, useSyncExternalStore } from 'react'
import type { RefObject } from 'react'
import { bookOf, pageRows } from './book.ts'
import type { Book, Known, Source } from './book.ts'

export interface ShownRow<T> {
  readonly index: number
  readonly start: number
  /** Null: not read yet. */
  readonly row: T | null
}

export interface Rows<T> {
  readonly known: Known
  readonly shown: readonly ShownRow<T>[]
  readonly height: number
  readonly error: unknown
  readonly again: () => void
  /** There are newer rows than those of the list. */
  readonly isOld: boolean
  /** Begins anew, with the newest. */
  readonly renew: () => Promise<void>
  readonly rowAt: (index: number) => T | null
  readonly scrollTo: (index: number) => void
}

const overscan = 8
/** Pages that nobody looks at are forgotten: memory stays the same however far one scrolls. */
const keptMs = 30_000

/** Rows of a list of any length: what is looked at is read, and drawn. */
export function useRows<T>(source: Source<T>, scroller: RefObject<HTMLElement | null>, rowHeight: number): Rows<T> {
  const client = useQueryClient()
  const book = bookOf(source)
  const known = useSyncExternalStore(book.subscribe, book.known)
  // No compiler memoizes here what it answers.
  // eslint-disable-next-line react-hooks/incompatible-library
  const virtual = useVirtualizer({
    count: known.total + (known.isWhole ? 0 : 1),
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    initialOffset: book.offset(),
    overscan,
  })
  useKeptOffset(book, scroller)
  const items = virtual.getVirtualItems()
  const wanted = pagesOf(known, items.at(0)?.index ?? 0, items.at(-1)?.index ?? 0)
  const results = useQueries({
    queries: wanted.map((page) => ({
      queryKey: [...source.key, 'rows', known.epoch, page],
      queryFn: ({ signal }: { signal: AbortSignal }) => book.read(page, signal),
      gcTime: keptMs,
      structuralSharing: false,
    })),
  })
  const pages = new Map(wanted.map((page, at) => [page, results[at]?.data ?? null]))
  const rowAt = (index: number): T | null => {
    const page = pageAt(known, index)
    return pages.get(page)?.[index - (known.starts[page] ?? 0)] ?? null
  }
  const failed = results.find(({ error }) => error !== null)
  const newer = useNewer(source, known)
  return {
    known,
    shown: items.map(({ index, start }) => ({ index, start, row: rowAt(index) })),
    height: virtual.getTotalSize(),
    error: failed?.error ?? null,
    again: () => void failed?.refetch(),
    isOld: newer,
    rowAt,
    scrollTo: (index) => virtual.scrollToIndex(index),
    async renew() {
      const { epoch, rows } = await book.renew()
      client.setQueryData([...source.key, 'rows', epoch, 0], rows)
      toTop(virtual)
    },
  }
}

function toTop(virtual: Virtualizer<HTMLElement, Element>): void {
  virtual.scrollToOffset(0)
}

/** Whether something came since the list was opened. */
function useNewer<T>({ key, fetch }: Source<T>, { anchor, anchoredAt }: Known): boolean {
  const { data } = useQuery({
    queryKey: [...key, 'newer', anchor],
    queryFn: ({ signal }) => fetch({ after: null, until: null, since: anchor, limit: 1 }, signal),
    enabled: anchor !== null,
    gcTime: keptMs,
    // Where that can't be asked, the list is as old as what it ends with.
    initialData: { items: [], next: null },
    initialDataUpdatedAt: anchoredAt,
    refetchOnMount: 'always',
  })
  return data.items.length > 0
}

function useKeptOffset<T>(book: Book<T>, scroller: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const element = scroller.current
    if (element === null) return
    const keep = (): void => book.leftAt(element.scrollTop)
    element.addEventListener('scroll', keep, { passive: true })
    return () => element.removeEventListener('scroll', keep)
  }, [book, scroller])
}

/** Pages with rows between these two, and the next one when its beginning is near. */
function pagesOf(known: Known, first: number, last: number): number[] {
  const from = pageAt(known, first)
  const to = pageAt(known, Math.min(last, Math.max(0, known.total - 1)))
  const isNear = !known.isWhole && last + pageRows / 2 >= known.total
  const end = isNear ? known.starts.length : to
  return Array.from({ length: Math.max(0, Math.min(end, known.pages - 1) - from) + 1 }, (_, at) => from + at)
}

/** The last page that begins at this row or before it. */
function pageAt({ starts }: Known, index: number): number {
  let low = 0
  let high = starts.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((starts[middle] ?? 0) <= index) low = middle
    else high = middle - 1
  }
  return Math.max(0, low)
}
