/** Reads of a JSON Schema as much as can be drawn as fields; what can't is for an editor of JSON. Pure. */
import { isObject, tokensOf } from '../../../parts/body/json.ts'

export interface FieldSchema {
  readonly kind: 'text' | 'number' | 'integer' | 'boolean' | 'choice' | 'texts' | 'numbers' | 'object' | 'json'
  readonly title: string | null
  readonly description: string | null
  /** Undefined: it says none. */
  readonly default: unknown
  /** Of `choice`: what may be chosen; of `texts`: what may be in it, null for anything. */
  readonly choices: readonly unknown[] | null
  /** Of `object`. */
  readonly fields: readonly NamedField[]
}

export interface NamedField {
  readonly name: string
  readonly isRequired: boolean
  readonly schema: FieldSchema
}

type Raw = Readonly<Record<string, unknown>>

/** Deeper than people nest what they fill in; a schema may also contain itself. */
const depthMax = 6

export function readSchema(schema: unknown): FieldSchema {
  return read(schema, isObject(schema) ? schema : {}, 0)
}

function read(schema: unknown, root: Raw, depth: number): FieldSchema {
  const raw = resolved(schema, root)
  const [kind, choices] = depth > depthMax ? (['json', null] as const) : kindOf(raw, root)
  const { title, description } = raw
  return {
    kind,
    choices,
    title: typeof title === 'string' ? title : null,
    description: typeof description === 'string' ? description : null,
    default: raw['default'],
    fields: kind === 'object' ? fieldsOf(raw, root, depth) : [],
  }
}

/** References within the schema itself, and `anyOf` of one thing and null, which libraries write for what may be left out. */
function resolved(schema: unknown, root: Raw): Raw {
  let raw: Raw = isObject(schema) ? schema : {}
  for (let steps = 0; steps < 10; steps++) {
    const { $ref, anyOf, oneOf, allOf } = raw
    const several = [anyOf, oneOf, allOf].find(Array.isArray)?.filter((one: unknown) => !isNull(one)) as
      unknown[] | undefined
    const inner = typeof $ref === 'string' ? referred($ref, root) : several?.length === 1 ? several[0] : undefined
    if (!isObject(inner)) return raw
    const { $ref: _, anyOf: __, oneOf: ___, allOf: ____, ...own } = raw
    raw = { ...inner, ...own }
  }
  return raw
}

const isNull = (schema: unknown): boolean => isObject(schema) && schema['type'] === 'null'

function referred(ref: string, root: Raw): unknown {
  if (!ref.startsWith('#')) return undefined
  return tokensOf(ref).reduce<unknown>((here, key) => (isObject(here) ? here[key] : undefined), root)
}

function kindOf(raw: Raw, root: Raw): readonly [FieldSchema['kind'], readonly unknown[] | null] {
  const choices = choicesOf(raw)
  if (choices !== null) return choices.every(isScalar) ? ['choice', choices] : ['json', null]
  switch (typeOf(raw)) {
    case 'string':
      return ['text', null]
    case 'number':
      return ['number', null]
    case 'integer':
      return ['integer', null]
    case 'boolean':
      return ['boolean', null]
    case 'object':
      return [isObject(raw['properties']) ? 'object' : 'json', null]
    case 'array':
      return listOf(resolved(raw['items'], root))
    default:
      return ['json', null]
  }
}

function listOf(items: Raw): readonly [FieldSchema['kind'], readonly unknown[] | null] {
  const choices = choicesOf(items)
  const type = typeOf(items)
  if (choices !== null) return choices.every((one) => typeof one === 'string') ? ['texts', choices] : ['json', null]
  if (type === 'string') return ['texts', null]
  return type === 'number' || type === 'integer' ? ['numbers', null] : ['json', null]
}

/** Of several types the one beside null. */
function typeOf({ type, properties }: Raw): unknown {
  if (!Array.isArray(type)) return type ?? (isObject(properties) ? 'object' : undefined)
  const others = type.filter((one) => one !== 'null')
  return others.length === 1 ? (others[0] as unknown) : undefined
}

function choicesOf(raw: Raw): readonly unknown[] | null {
  if (Array.isArray(raw['enum'])) return raw['enum'] as unknown[]
  const options = raw['oneOf'] ?? raw['anyOf']
  if (Array.isArray(options) && options.length > 0 && options.every((one) => isObject(one) && 'const' in one))
    return (options as { const: unknown }[]).map((one) => one.const)
  return 'const' in raw ? [raw['const']] : null
}

const isScalar = (value: unknown): boolean => ['string', 'number', 'boolean'].includes(typeof value)

/** What has to be there first, the others by name: manifests are stored without the order in which they were written. */
function fieldsOf({ properties, required }: Raw, root: Raw, depth: number): NamedField[] {
  const needed = new Set(Array.isArray(required) ? (required as unknown[]) : [])
  const fields = Object.entries(isObject(properties) ? properties : {}).map(([name, schema]) => ({
    name,
    isRequired: needed.has(name),
    schema: read(schema, root, depth + 1),
  }))
  return fields.toSorted((a, b) => Number(b.isRequired) - Number(a.isRequired) || a.name.localeCompare(b.name))
}
