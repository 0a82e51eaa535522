import { ExactNumber } from './text.ts'

/** One line of the tree of a JSON value. */
export interface TreeRow {
  /** JSON Pointer; of a part of a long list or text with `~` and where it begins. */
  readonly path: string
  readonly depth: number
  readonly name: string
  readonly kind: 'object' | 'array' | 'part' | 'string' | 'text' | 'number' | 'boolean' | 'null'
  readonly text: string
  /** Null: there is nothing inside. */
  readonly isOpen: boolean | null
}

/** Whether somebody opened or closed what is at a path; undefined: nobody did. */
export type Opened = ReadonlyMap<string, boolean>

const partSize = 100
const openUpTo = 60
const lineChars = 110

/** The lines that show what is opened; what is closed costs nothing, however large. */
export function flatten(value: unknown, opened: Opened): TreeRow[] {
  const rows: TreeRow[] = []
  add({ rows, opened }, '', '', 0, value)
  return rows
}

interface Walk {
  readonly rows: TreeRow[]
  readonly opened: Opened
}

function add(walk: Walk, path: string, name: string, depth: number, value: unknown): void {
  if (value instanceof ExactNumber) return push(walk, { path, name, depth, kind: 'number', text: value.text })
  if (typeof value === 'string') return addString(walk, path, name, depth, value)
  if (typeof value === 'object' && value !== null) return addContainer(walk, path, name, depth, value)
  const kind = value === null ? 'null' : typeof value === 'boolean' ? 'boolean' : 'number'
  push(walk, { path, name, depth, kind, text: String(value) })
}

function push({ rows }: Walk, row: Omit<TreeRow, 'isOpen'> & { isOpen?: boolean }): void {
  rows.push({ isOpen: null, ...row })
}

function addContainer(walk: Walk, path: string, name: string, depth: number, value: object): void {
  const names = Array.isArray(value) ? null : Object.keys(value)
  const size = names === null ? (value as unknown[]).length : names.length
  const kind = names === null ? 'array' : 'object'
  if (size === 0) return push(walk, { path, name, depth, kind, text: names === null ? '[]' : '{}' })
  const isOpen = walk.opened.get(path) ?? (depth < 4 && size <= openUpTo)
  push(walk, { path, name, depth, kind, text: isOpen ? sizeOf(kind, size) : preview(value, names, size), isOpen })
  if (!isOpen) return
  parts(walk, { path, depth, size }, (at) => {
    const key = names?.[at] ?? String(at)
    add(
      walk,
      `${path}/${escaped(key)}`,
      key,
      depth + (size > partSize ? 2 : 1),
      (value as Record<string, unknown>)[key],
    )
  })
}

/** A text that is longer than a line is opened into lines. */
function addString(walk: Walk, path: string, name: string, depth: number, value: string): void {
  if (value.length <= lineChars && !value.includes('\n'))
    return push(walk, { path, name, depth, kind: 'string', text: JSON.stringify(value) })
  const lines = linesOf(value)
  const isOpen = walk.opened.get(path) ?? false
  const text = `${JSON.stringify(value.slice(0, lineChars))}… ${value.length.toLocaleString()} characters`
  push(walk, { path, name, depth, kind: 'string', text, isOpen })
  if (!isOpen) return
  parts(walk, { path, depth, size: lines.length }, (at) => {
    push(walk, {
      path: `${path}~${at}`,
      name: '',
      depth: depth + (lines.length > partSize ? 2 : 1),
      kind: 'text',
      text: lines[at] ?? '',
    })
  })
}

/** Calls `each` for what is inside; of much in parts that are opened one by one. */
function parts(
  walk: Walk,
  { path, depth, size }: { path: string; depth: number; size: number },
  each: (at: number) => void,
): void {
  const step = size <= partSize ? size : Math.max(partSize, Math.ceil(size / 2_000 / partSize) * partSize)
  for (let from = 0; from < size; from += step) {
    const end = Math.min(size, from + step)
    if (size > partSize) {
      const place = `${path}~${from}…`
      const isOpen = walk.opened.get(place) ?? false
      push(walk, {
        path: place,
        name: `${from.toLocaleString()} – ${(end - 1).toLocaleString()}`,
        depth: depth + 1,
        kind: 'part',
        text: '',
        isOpen,
      })
      if (!isOpen) continue
    }
    for (let at = from; at < end; at++) each(at)
  }
}

const sizeOf = (kind: 'array' | 'object', size: number): string =>
  kind === 'array' ? `[ ${size.toLocaleString()} ]` : `{ ${size.toLocaleString()} }`

function preview(value: object, names: readonly string[] | null, size: number): string {
  if (names === null) return `[ ${size.toLocaleString()} ]`
  const some = names.slice(0, 4).map((name) => brief(name, (value as Record<string, unknown>)[name]))
  return `{ ${some.join(', ')}${size > 4 ? ', …' : ''} }`
}

function brief(name: string, value: unknown): string {
  if (value instanceof ExactNumber) return `${name}: ${value.text}`
  if (typeof value === 'object' && value !== null) return `${name}: ${Array.isArray(value) ? '[…]' : '{…}'}`
  if (typeof value !== 'string') return `${name}: ${String(value)}`
  return `${name}: ${JSON.stringify(value.length > 24 ? `${value.slice(0, 24)}…` : value)}`
}

export function linesOf(text: string, chars = lineChars): string[] {
  return text.split('\n').flatMap((line) => {
    if (line.length <= chars) return [line]
    return Array.from({ length: Math.ceil(line.length / chars) }, (_, at) => line.slice(at * chars, (at + 1) * chars))
  })
}

function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}
