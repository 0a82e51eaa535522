/**
 * What is known of a list that is read page by page, however long it is: where its pages begin and how many rows each has, never the
 * rows. Keysets lead only from a page to the next one, and a list that is looked at must not move: so it ends, upwards, at the row
 * that was the newest when it was opened, and a page at the row that was its last. What comes later is told as `isOld`.
 */
export interface Source<T> {
  /** Of what is listed, with its filter. */
  readonly key: readonly unknown[]
  readonly fetch: (place: Place, signal?: AbortSignal) => Promise<{ items: T[]; next: string | null }>
  readonly idOf: (row: T) => string
  /** By which it is sorted, the newest first. */
  readonly timeOf: (row: T) => string
}

export interface Place {
  readonly after: string | null
  /** Rows of before that time. */
  readonly until: string | null
  /** Rows of that time or later. */
  readonly since: string | null
  readonly limit: number
}

export interface Known {
  /** Another one is another list: nothing of the old one holds. */
  readonly epoch: number
  /** Index of the first row of each page that is known. */
  readonly starts: readonly number[]
  readonly total: number
  /** Pages that can be asked for: the known ones, and the next. */
  readonly pages: number
  readonly isWhole: boolean
  /** It has as many rows as a list may have, and there are more. */
  readonly isCut: boolean
  /** What the list ends with upwards; null: there was nothing. */
  readonly anchor: string | null
  /** When that was read, in milliseconds. */
  readonly anchoredAt: number
}

interface Edge {
  readonly id: string
  readonly time: string
}

interface PageNote {
  readonly after: string | null
  count: number | null
  /** Its last row as it was read first; null: it is the last page. */
  last: Edge | null
}

export const pageRows = 200
/** Of a page that is read again: so many rows may have come in between. */
const slack = 200
/** Nothing has more than 17.9 million pixels in Firefox (33.5 in Chromium), and most rows have 48. */
export const rowsMax = 370_000

export interface Book<T> {
  readonly subscribe: (listener: () => void) => () => void
  readonly known: () => Known
  /** Reads a page; a page that does not reach its end any more makes the list begin anew. */
  readonly read: (page: number, signal?: AbortSignal) => Promise<T[]>
  /** Begins anew with what is the newest now; answers the first page. */
  readonly renew: () => Promise<{ readonly epoch: number; readonly rows: T[] }>
  /** How far down somebody was. */
  readonly offset: () => number
  readonly leftAt: (offset: number) => void
}

const noAnchor = { anchor: null, anchoredAt: 0 }

export function openBook<T>(source: Source<T>): Book<T> {
  const listeners = new Set<() => void>()
  let notes: PageNote[] = [{ after: null, count: null, last: null }]
  let isWhole = false
  let epoch = 0
  let anchor: Pick<Known, 'anchor' | 'anchoredAt'> = noAnchor
  let offset = 0
  let known = snapshot()

  function snapshot(): Known {
    const starts: number[] = []
    let total = 0
    for (const { count } of notes) {
      if (count === null) break
      starts.push(total)
      total += count
    }
    const isCut = !isWhole && total >= rowsMax
    return { epoch, starts, total, pages: notes.length, isWhole: isWhole || isCut, isCut, ...anchor }
  }
  const tell = (): void => {
    known = snapshot()
    // After the rows, so that none is drawn empty first.
    setTimeout(() => {
      for (const listener of listeners) listener()
    })
  }
  const empty = (): void => {
    notes = [{ after: null, count: null, last: null }]
    isWhole = false
    anchor = noAnchor
    epoch++
  }
  const take = (page: number, items: T[], next: string | null): T[] => {
    const note = notes[page]
    if (!note) return []
    if (page === 0 && anchor === noAnchor && items[0] !== undefined)
      anchor = { anchor: justAfter(source.timeOf(items[0])), anchoredAt: Date.now() }
    const rows = note.last === null ? items : items.filter((row) => !isBelow(source, row, note.last))
    note.count = rows.length
    if (page === notes.length - 1) {
      isWhole = next === null
      const last = rows.at(-1)
      if (next !== null && last !== undefined) {
        note.last = { id: source.idOf(last), time: source.timeOf(last) }
        notes.push({ after: next, count: null, last: null })
      }
    }
    tell()
    return rows
  }
  return {
    offset: () => offset,
    leftAt: (at) => void (offset = at),
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    known: () => known,
    async read(page, signal) {
      const note = notes[page]
      if (!note) return []
      const of = epoch
      const limit = note.count === null ? pageRows : Math.min(500, note.count + slack)
      const until = page === 0 ? anchor.anchor : null
      const { items, next } = await source.fetch({ after: note.after, until, since: null, limit }, signal)
      if (of !== epoch) return []
      const isShort = note.last !== null && next !== null && !items.some((row) => isAtOrBelow(source, row, note.last))
      if (!isShort) return take(page, items, next)
      empty()
      tell()
      return []
    },
    async renew() {
      const { items, next } = await source.fetch({ after: null, until: null, since: null, limit: pageRows })
      empty()
      return { rows: take(0, items, next), epoch }
    },
  }
}

/** Sorted by time, then by id, both downwards. */
function isBelow<T>(source: Source<T>, row: T, edge: Edge | null): boolean {
  return isAtOrBelow(source, row, edge) && source.idOf(row) !== edge?.id
}

function isAtOrBelow<T>({ idOf, timeOf }: Source<T>, row: T, edge: Edge | null): boolean {
  if (edge === null) return false
  const time = timeOf(row)
  return time === edge.time ? idOf(row) <= edge.id : time < edge.time
}

/** Times are told to the millisecond: rows of before it are those of that time, too. */
export function justAfter(time: string): string {
  return new Date(Date.parse(time) + 1).toISOString()
}

/** Lists that were looked at before are found as they were left. */
const kept = new Map<string, Book<unknown>>()
const keptMax = 12

export function bookOf<T>(source: Source<T>): Book<T> {
  const name = JSON.stringify(source.key)
  const book = (kept.get(name) as Book<T> | undefined) ?? openBook(source)
  kept.delete(name)
  kept.set(name, book)
  for (const oldest of kept.keys()) {
    if (kept.size <= keptMax) break
    kept.delete(oldest)
  }
  return book
}
