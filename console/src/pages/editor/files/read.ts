import type { FlowPayload } from '../../../../../runtime/client/openapi.d.ts'
import { bytes } from '../../../parts/show/format.ts'

/** More is refused by the engine, too; here it isn't even looked at. */
const fileMaxBytes = 1024 * 1024

/** What can't be read; null: it is about all of it. */
export interface Unreadable {
  readonly line: number | null
  readonly message: string
}

/** What a file turned out to be. */
export type Read =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'unreadable'; readonly faults: readonly Unreadable[] }
  | { readonly kind: 'document'; readonly value: unknown; readonly lineOf: (path: string) => number }
  | { readonly kind: 'bpmn'; readonly text: string }
  | { readonly kind: 'flow'; readonly payload: FlowPayload }

/** Why a text of this size is refused; null: it isn't. */
export function tooLarge(size: number): string | null {
  return size > fileMaxBytes ? `It has ${bytes(size)}; a document has at most ${bytes(fileMaxBytes)}.` : null
}

/** Reads what may be a topology document, JSON or YAML, or a document of the older editors. The text may be hostile. */
export async function read(text: string): Promise<Read> {
  if (text.trim() === '') return { kind: 'nothing' }
  const size = tooLarge(new TextEncoder().encode(text).byteLength)
  if (size !== null) return unreadable(size)
  if (text.includes('\0')) return unreadable('It is no text.')
  if (text.trimStart().startsWith('<')) return { kind: 'bpmn', text }
  return readYaml(text)
}

/** JSON is YAML, too, so its faults have lines as well. The reader is the engine's own, and is loaded when it is needed. */
async function readYaml(text: string): Promise<Read> {
  const [yaml, { keysOf }] = await Promise.all([
    import('../../../../../runtime/topology/yaml.ts'),
    import('../../../../../runtime/topology/faults/paths.ts'),
  ])
  const sources = yaml.composeAll(text, '')
  if (typeof sources === 'string') return unreadable(`It ${sources}.`)
  const [source, ...others] = sources.filter((one) => !yaml.isEmpty(one))
  if (source === undefined) return { kind: 'nothing' }
  if (others.length > 0) return unreadable(`It holds ${others.length + 1} documents; one is expected.`)
  const { value, faults } = yaml.valueOf(source)
  if (faults.length > 0) return { kind: 'unreadable', faults }
  if (Array.isArray(value)) return unreadable(`It is a list of ${value.length}; one document is expected.`)
  if (typeof value !== 'object' || value === null) return unreadable('It is no document, but a single value.')
  if (isFlow(value)) return { kind: 'flow', payload: value }
  return { kind: 'document', value, lineOf: (path) => yaml.lineOf(source, yaml.offsetOf(source, keysOf(path))) }
}

const unreadable = (message: string): Read => ({ kind: 'unreadable', faults: [{ line: null, message }] })

/** The flow editor calls edges connections. */
function isFlow(value: object): value is FlowPayload {
  return 'connections' in value && !('edges' in value)
}
