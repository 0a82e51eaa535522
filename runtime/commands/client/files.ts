/** Reads topology documents from files, folders and stdin. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Invalid, textOf } from '../../errors.ts'
import { parseDocuments } from '../../topology/document.ts'
import type { TopologyDocument } from '../../topology/schema.ts'
import { readInput } from '../terminal/input.ts'

export interface Found {
  /** File, or `stdin`. */
  readonly source: string
  readonly document: TopologyDocument
}

/**
 * Every document of the files; of folders, that of every `.yaml`, `.yml` and `.json` below them. Throws one `Invalid`
 * with all faults, each with file, line and path in the document, when any of them is wrong.
 */
export function readTopologies(paths: readonly string[]): Found[] {
  const sources = paths.flatMap(filesOf)
  const results = sources.map((file) => {
    const source = file === '-' ? 'stdin' : file
    const { documents, faults } = parseDocuments(readInput(file), source)
    return { found: documents.map((document) => ({ source, document })), faults }
  })
  const faults = results.flatMap((result) => result.faults)
  if (faults.length > 0) throw new Invalid('the topology documents are wrong', faults)
  const found = results.flatMap((result) => result.found)
  if (found.length === 0) throw new Invalid(`there is no topology document in ${paths.join(', ')}`)
  checkNames(found)
  return found
}

function filesOf(path: string): string[] {
  if (path === '-' || !isFolder(path)) return [path]
  const entries = readdirSync(path, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile() && /\.(ya?ml|json)$/.test(entry.name))
  return files.map((entry) => join(entry.parentPath, entry.name)).sort()
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch (error) {
    throw new Invalid(`${path} can't be read: ${textOf(error)}`, [], { cause: error })
  }
}

function checkNames(found: readonly Found[]): void {
  const sources = new Map<string, string>()
  for (const { source, document } of found) {
    const before = sources.get(document.name)
    if (before !== undefined)
      throw new Invalid(`the topology "${document.name}" stands in ${before} and in ${source}: names are unique`)
    sources.set(document.name, source)
  }
}
