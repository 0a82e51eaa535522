/** What a worker would refuse of the settings of its nodes: by the JSON Schema in its manifest. The engine hands them on as they are. */
import { Validator } from '@cfworker/json-schema'
import type { OutputUnit } from '@cfworker/json-schema'
import type { TopologyDocumentNode, Worker } from '../../../api/engine.ts'
import { nodesOf } from '../../workers/manifest.ts'
import type { ManifestNode } from '../../workers/manifest.ts'
import { isEvent } from '../state/graph.ts'
import type { Graph } from '../state/graph.ts'
import { isObject, tokensOf } from '../../../parts/body/json.ts'
import type { Placed } from './faults.ts'

/** What the manifest of its worker says of a node. */
export function manifestOf(workers: readonly Worker[], values: TopologyDocumentNode): ManifestNode | null {
  const worker = isEvent(values.type) ? undefined : workers.find(({ name }) => name === values.worker)
  if (worker === undefined) return null
  return nodesOf(worker).find(({ name }) => name === (values.uses ?? values.name)) ?? null
}

export function settingsFaults({ nodes }: Graph, workers: readonly Worker[]): Placed[] {
  return nodes.flatMap(({ key, values }) => {
    const schema = manifestOf(workers, values)?.settings
    if (!isObject(schema)) return []
    return faultsBy(schema, values.settings ?? {}).map((fault): Placed => ({ of: 'node', key, ...fault, isHint: true }))
  })
}

/** Told along with what is inside of them, which says it better. */
const around = new Set(['properties', 'items', 'prefixItems', '$ref', 'allOf', 'if', 'patternProperties'])

function faultsBy(schema: object, value: unknown): { field: string; message: string }[] {
  const validator = validatorOf(schema)
  if (validator === null) return []
  return validator
    .validate(value)
    .errors.filter(({ keyword }) => !around.has(keyword))
    .map(placed)
}

const validators = new WeakMap<object, Validator | null>()

/** Null for a schema that can't be used, such as one that refers to what isn't there: then nothing is said of what it would refuse. */
function validatorOf(schema: object): Validator | null {
  const known = validators.get(schema)
  if (known !== undefined) return known
  const made = validatorFor(schema)
  validators.set(schema, made)
  return made
}

function validatorFor(schema: object): Validator | null {
  try {
    // It notes addresses in the schema that it is given.
    const validator = new Validator(structuredClone(schema), '2020-12', false)
    validator.validate({})
    return validator
  } catch {
    return null
  }
}

function placed({ instanceLocation, keyword, error }: OutputUnit): { field: string; message: string } {
  const place = `settings${pathOf(instanceLocation)}`
  if (keyword !== 'required') return { field: place, message: plain(error) }
  const missing = /"(.*)"/.exec(error)?.[1] ?? ''
  return { field: `${place}.${missing}`, message: 'is required' }
}

/** `#/list/0/name` is `.list[0].name`. */
function pathOf(pointer: string): string {
  return tokensOf(pointer)
    .map((part) => (/^\d+$/.test(part) ? `[${part}]` : `.${part}`))
    .join('')
}

/** `Instance type "string" is invalid. Expected "integer".` begins like what the engine says. */
function plain(error: string): string {
  const text = error.replace(/^(Instance|String) /, '').replace(/\.$/, '')
  return text.charAt(0).toLowerCase() + text.slice(1)
}
