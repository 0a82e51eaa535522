/** Reads topology documents from files, folders and stdin. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Invalid, textOf } from '../../../errors.ts'
import type { Fault } from '../../../errors.ts'
import { findDocuments } from '../../../topology/document.ts'
import type { Placed } from '../../../topology/document.ts'
import { readInput } from '../../terminal/input.ts'

export interface Found extends Placed {
  /** File, or `stdin`. */
  readonly source: string
}

/** Every document of the files; of folders, that of every `.yaml`, `.yml` and `.json` below them. Throws one `Invalid` with all faults. */
export function readTopologies(paths: readonly string[]): Found[] {
  const { found, faults } = readSources(paths)
  if (faults.length > 0) throw new Invalid('the topology documents are wrong', faults)
  return found
}

/** The same without throwing: what is right, and every fault of every file, each with file, line and path in the document. */
export function readSources(paths: readonly string[]): { found: Found[]; faults: Fault[] } {
  const results = paths.flatMap(filesOf).map((file) => (typeof file === 'string' ? readFile(file) : file))
  const found = results.flatMap((result) => result.found)
  const faults = [...results.flatMap((result) => result.faults), ...sameNames(found)]
  if (found.length > 0 || faults.length > 0) return { found, faults }
  return { found, faults: [{ path: '', message: `there is no topology document in ${paths.join(', ')}` }] }
}

interface Result {
  readonly found: Found[]
  readonly faults: Fault[]
}

function readFile(file: string): Result {
  const source = file === '-' ? 'stdin' : file
  try {
    const { found, faults } = findDocuments(readInput(file), source)
    return { found: found.map((placed) => ({ source, ...placed })), faults }
  } catch (error) {
    if (error instanceof Invalid) return wrong(error.message)
    throw error
  }
}

const wrong = (message: string): Result => ({ found: [], faults: [{ path: '', message }] })

function filesOf(path: string): (string | Result)[] {
  if (path === '-') return [path]
  try {
    if (!statSync(path).isDirectory()) return [path]
    const entries = readdirSync(path, { recursive: true, withFileTypes: true })
    const files = entries.filter((entry) => entry.isFile() && /\.(ya?ml|json)$/.test(entry.name))
    return files.map((entry) => join(entry.parentPath, entry.name)).sort()
  } catch (error) {
    return [wrong(`${path} can't be read: ${textOf(error)}`)]
  }
}

function sameNames(found: readonly Found[]): Fault[] {
  const places = new Map<string, string>()
  return found.flatMap(({ document: { name }, placeOf }) => {
    const [before, here] = [places.get(name), placeOf('name')]
    places.set(name, before ?? here)
    if (before === undefined) return []
    return [{ path: 'name', message: `${here}: the topology "${name}" stands in ${before} already: names are unique` }]
  })
}
