import { createHash } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { extname, join, relative, sep } from 'node:path'

/** A file of the built console, as it is sent. */
export interface ConsoleFile {
  readonly type: string
  readonly etag: string
  /** Its name has a hash of what it holds: another version has another name. */
  readonly isImmutable: boolean
  readonly plain: Buffer
  /** By the name of the encoding. */
  readonly packed: ReadonlyMap<Encoding, Buffer>
}

export type ConsoleFiles = ReadonlyMap<string, ConsoleFile>

/** From the smallest. */
export const encodings = ['br', 'gzip'] as const
export type Encoding = (typeof encodings)[number]

export const indexPath = '/index.html'

const endings: Readonly<Record<Encoding, string>> = { br: '.br', gzip: '.gz' }

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
}

/**
 * The files of the built console by the path they are asked for, all in memory (about 2 MB): no path of a request ever reaches the
 * file system. Null when the console isn't built.
 */
export function readConsole(folder: string): ConsoleFiles | null {
  const names = namesIn(folder)
  if (!names.includes(indexPath)) return null
  const read = (name: string): Buffer => readFileSync(join(folder, name))
  const files = names.flatMap((name) => {
    const type = types[extname(name)]
    if (type === undefined) return []
    const plain = read(name)
    const packed = encodings.flatMap((encoding) => {
      const there = `${name}${endings[encoding]}`
      return names.includes(there) ? [[encoding, read(there)] as const] : []
    })
    const etag = `"${createHash('sha256').update(plain).digest('base64url').slice(0, 16)}"`
    return [[name, { type, etag, isImmutable: name.startsWith('/assets/'), plain, packed: new Map(packed) }] as const]
  })
  return new Map(files)
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => `/${relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/')}`)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
