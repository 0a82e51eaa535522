/** Reads topology documents, JSON or YAML, from text that may be hostile. Pure. */
import type { Fault } from '../errors.ts'
import { faultsBeyond } from './check.ts'
import type { Known } from './check.ts'
import { faultsMax, faultsOf } from './faults/faults.ts'
import { keysOf, textOfPath } from './faults/paths.ts'
import { documentSchema, type TopologyDocument } from './schema.ts'
import {
  composeAll,
  depthMax,
  documentsMax,
  isEmpty,
  lineOf,
  offsetOf,
  valueOf,
  type Source,
  type SyntaxFault,
} from './yaml.ts'

const valuesMax = 100_000
const forbiddenKeys = new Set(['__proto__', 'constructor', 'prototype'])

/**
 * Reads one document. Either `document` is there and `faults` is empty, or there are faults: each with its path in the document, and in
 * its message the source, the line and what was expected. Since it comes back anyhow, what forbids publishing is told along then, as
 * far as that can be known without workers. Never throws.
 */
export function parseDocument(text: string, sourceName: string): { document?: TopologyDocument; faults: Fault[] } {
  const { documents, faults } = parseDocuments(text, sourceName)
  const [document, second] = documents
  if (faults.length > 0) return { faults }
  if (document === undefined) return { faults: [{ path: '', message: `${sourceName}: no topology document in it` }] }
  if (second === undefined) return { document, faults: [] }
  return { faults: [{ path: '', message: `${sourceName}: holds ${documents.length} documents, expected one` }] }
}

/** Reads all documents of a text, parted by `---` or as a list. `documents` holds those that are right; empty ones are skipped. Never throws. */
export function parseDocuments(text: string, sourceName: string): { documents: TopologyDocument[]; faults: Fault[] } {
  const { found, faults } = findDocuments(text, sourceName)
  return { documents: found.map(({ document }) => document), faults }
}

/** A document of a text, and where the values of it stand. */
export interface Placed {
  readonly document: TopologyDocument
  /** `file.yaml:12` of a path as faults have it, or of what is nearest around it; in a list also which document. */
  readonly placeOf: (path: string) => string
}

/** The same, with the places. */
export function findDocuments(text: string, sourceName: string): { found: Placed[]; faults: Fault[] } {
  const sources = composeAll(text, sourceName)
  if (typeof sources === 'string') return { found: [], faults: [{ path: '', message: `${sourceName}: ${sources}` }] }
  const results = sources.filter((source) => !isEmpty(source)).map(readSource)
  return {
    found: results.flatMap(({ found }) => found),
    faults: results.flatMap(({ faults }) => faults).slice(0, faultsMax),
  }
}

/**
 * Checks the shape of a value that was parsed before, such as a request's JSON body. `known` is for what is told along when that is wrong.
 * Never throws.
 */
export function readDocument(value: unknown, known: Known = {}): { document?: TopologyDocument; faults: Fault[] } {
  return read(value, (_, message) => message, known)
}

function readSource(source: Source): { found: Placed[]; faults: Fault[] } {
  const { value, faults } = valueOf(source)
  if (faults.length > 0)
    return { found: [], faults: faults.map((fault) => ({ path: '', message: textOf(source, fault) })) }
  return Array.isArray(value) ? readList(source, value) : readAt(source, value, [])
}

function textOf({ name }: Source, { line, message }: SyntaxFault): string {
  return `${line === null ? name : `${name}:${line}`}: ${message}`
}

function readList(source: Source, values: readonly unknown[]): { found: Placed[]; faults: Fault[] } {
  if (values.length > documentsMax)
    return { found: [], faults: [{ path: '', message: `${source.name}: holds more than ${documentsMax} documents` }] }
  const results = values.map((value, index) => readAt(source, value, [index]))
  return { found: results.flatMap(({ found }) => found), faults: results.flatMap(({ faults }) => faults) }
}

/** `root` is where the document begins in its source. */
function readAt(source: Source, value: unknown, root: readonly PropertyKey[]): { found: Placed[]; faults: Fault[] } {
  const which = root.map((index) => `, document ${Number(index) + 1}${nameText(value)}`).join('')
  const place = (path: readonly PropertyKey[]) =>
    `${source.name}:${lineOf(source, offsetOf(source, [...root, ...path]))}${which}`
  const { document, faults } = read(value, (path, message) => `${place(path)}: ${message}`)
  return { found: document ? [{ document, placeOf: (path) => place(keysOf(path)) }] : [], faults }
}

/** A list may stand in one line: then its documents are told apart by number and name. */
function nameText(value: unknown): string {
  const name = typeof value === 'object' && value !== null && 'name' in value ? value.name : undefined
  return typeof name === 'string' && /^[\w.-]{1,64}$/.test(name) ? ` (${name})` : ''
}

function read(
  value: unknown,
  locate: (path: readonly PropertyKey[], message: string) => string,
  known: Known = {},
): { document?: TopologyDocument; faults: Fault[] } {
  const unsafe = unsafeValue(value)
  if (unsafe !== null)
    return { faults: [{ path: textOfPath(unsafe.path), message: locate(unsafe.path, unsafe.message) }] }
  const parsed = documentSchema.safeParse(withoutSchema(value))
  if (parsed.success) return { document: parsed.data, faults: [] }
  const beyond = faultsBeyond(value, parsed.error, known).map(({ path, message }) => ({
    path,
    message: locate(keysOf(path), message),
  }))
  return { faults: [...faultsOf(parsed.error, value, locate), ...beyond] }
}

/** `$schema` tells an editor by which schema to complete a JSON file; it is no part of the topology. */
function withoutSchema(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !('$schema' in value)) return value
  const { $schema, ...document } = value
  return typeof $schema === 'string' ? document : value
}

/** The first value that must not reach the schema: prototype names, too deep or too many values, numbers that JSON lacks. */
export function unsafeValue(root: unknown): { path: PropertyKey[]; message: string } | null {
  const left: { value: unknown; path: PropertyKey[] }[] = [{ value: root, path: [] }]
  let values = 0
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { value, path } = next
    values += 1
    if (values > valuesMax) return { path: [], message: `holds more than ${valuesMax} values` }
    if (typeof value === 'number' && !Number.isFinite(value)) return { path, message: `${value} is not a JSON number` }
    if (typeof value !== 'object' || value === null) continue
    if (path.length >= depthMax) return { path: path.slice(0, 4), message: `is nested deeper than ${depthMax} levels` }
    for (const [key, member] of Object.entries(value)) {
      if (forbiddenKeys.has(key)) return { path: [...path, key], message: `the key "${key}" is not allowed` }
      left.push({ value: member, path: [...path, Array.isArray(value) ? Number(key) : key] })
    }
  }
  return null
}
