/**
 * Names for what stands unnamed inside of named schemas: code generators call it by its place, or make a type of it that nobody
 * can write down. `Worker.instances` becomes a list of `WorkerInstance`, `Node.pausedBy` a `NodePausedBy`.
 */

type Schema = Readonly<Record<string, unknown>>
type Schemas = Readonly<Record<string, Schema>>

/** The same schemas, with objects and enums of their own names; what is null itself is null where it is referred to instead. */
export function withNames(schemas: Schemas): Schemas {
  const named = new Map<string, Schema>(Object.entries(schemas))
  for (const [name, schema] of Object.entries(schemas)) named.set(name, partsNamed(schema, name, named))
  return withoutNullNames(Object.fromEntries([...named].sort(([a], [b]) => (a < b ? -1 : 1))))
}

function partsNamed(schema: Schema, name: string, named: Map<string, Schema>): Schema {
  const { properties, allOf } = schema
  const parts = properties as Schemas | undefined
  return {
    ...schema,
    ...(parts && { properties: mapped(parts, (part, key) => partNamed(part, name + upperFirst(key), named)) }),
    ...(Array.isArray(allOf) && { allOf: (allOf as Schema[]).map((part) => partsNamed(part, name, named)) }),
  }
}

function partNamed(written: Schema, name: string, named: Map<string, Schema>): Schema {
  const part = asOne(written)
  if (part.items) return { ...part, items: partNamed(part.items as Schema, singular(name), named) }
  if (!part.properties && !isChoice(part)) return part
  const { description, default: value, ...own } = part
  const schema = partsNamed(withoutNull(own), name, named)
  const known = named.get(name)
  if (known && JSON.stringify(known) !== JSON.stringify(schema)) return partsNamed(part, name, named)
  named.set(name, schema)
  const outside = { ...(description !== undefined && { description }), ...(value !== undefined && { default: value }) }
  const ref = { $ref: refTo(name) }
  if (isNullable(part)) return { anyOf: [ref, { type: 'null' }], ...outside }
  return { ...ref, ...outside }
}

/** An object or null that is written as a choice of the two, as one. */
function asOne(part: Schema): Schema {
  const { anyOf, ...rest } = part
  const [object, none, ...others] = Array.isArray(anyOf) ? (anyOf as Schema[]) : []
  if (!object?.properties || none?.type !== 'null' || others.length > 0) return part
  return { ...object, ...rest, type: ['object', 'null'] }
}

function isChoice({ enum: values }: Schema): boolean {
  return Array.isArray(values) && values.filter((value) => value !== null).length > 1
}

function isNullable({ type }: Schema): boolean {
  return Array.isArray(type) && type.includes('null')
}

function withoutNull(schema: Schema): Schema {
  if (!isNullable(schema)) return schema
  const type = (schema.type as string[]).filter((one) => one !== 'null')
  const values = schema.enum as unknown[] | undefined
  return {
    ...schema,
    type: type.length === 1 ? type[0] : type,
    ...(values && { enum: values.filter((one) => one !== null) }),
  }
}

/** A schema that is `null`, too, makes pointers to pointers of generated code: it is its users who may have none. */
function withoutNullNames(schemas: Schemas): Schemas {
  const refs = new Set(Object.keys(schemas).flatMap((name) => (isNullable(schemas[name] ?? {}) ? [refTo(name)] : [])))
  return mapped(schemas, (schema) => orNull(withoutNull(schema), refs) as Schema)
}

function orNull(value: unknown, refs: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return value.map((one) => orNull(one, refs))
  if (typeof value !== 'object' || value === null) return value
  const { $ref, ...rest } = value as Schema
  if (typeof $ref === 'string' && refs.has($ref)) return { anyOf: [{ $ref }, { type: 'null' }], ...rest }
  return mapped(value as Schemas, (one) => orNull(one, refs) as Schema)
}

function mapped(record: Schemas, change: (value: Schema, key: string) => Schema): Schemas {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)]))
}

const refTo = (name: string): string => `#/components/schemas/${name}`
const upperFirst = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
const singular = (name: string): string => name.replace(/ies$/, 'y').replace(/([^s])s$/, '$1')
