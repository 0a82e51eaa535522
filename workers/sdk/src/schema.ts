import { Fail, type Fault } from './errors.ts'

/** Anything that follows the Standard Schema specification, such as a schema of zod, valibot or arktype. */
export interface StandardSchema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined
  }
}

export type StandardResult<Output> =
  { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly StandardIssue[] }

export interface StandardIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** A JSON Schema document. It is shown in the manifest; it isn't checked here. */
export interface JsonSchema {
  readonly [keyword: string]: unknown
}

export type Schema = StandardSchema | JsonSchema

/** What a value is once it has passed `S`; without a schema that checks, the author of the handler knows it best. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- parsed JSON, typed as `Response.json()` does
export type Checked<S> = S extends StandardSchema<infer Output> ? Output : any

export function isStandard(schema: Schema | undefined): schema is StandardSchema {
  return schema !== undefined && '~standard' in schema
}

/** The value as the schema returns it; throws `Fail` with every fault and its path. `what` names the value in the message. */
export async function check(schema: StandardSchema, value: unknown, what: string): Promise<unknown> {
  const answer = schema['~standard'].validate(value)
  const result = answer instanceof Promise ? await answer : answer
  if (result.issues === undefined) return result.value
  const errors = result.issues.map(fault)
  const first = errors[0]
  const detail = first === undefined ? '' : `: ${first.path === '' ? '' : `${first.path}: `}${first.message}`
  throw new Fail(`${what} doesn't fit its schema${detail}`, {
    title: `Invalid ${what.toLowerCase()}`,
    status: 422,
    errors,
  })
}

function fault(issue: StandardIssue): Fault {
  let path = ''
  for (const step of issue.path ?? []) {
    const key = typeof step === 'object' ? step.key : step
    path += typeof key === 'number' ? `[${key}]` : `${path === '' ? '' : '.'}${String(key)}`
  }
  return { path, message: issue.message }
}

interface JsonSchemaSource {
  readonly jsonSchema?: { readonly input: (options: { target: string }) => JsonSchema }
}

/** The schema as JSON Schema, if it is one or can say it; undefined otherwise. */
export function jsonSchemaOf(schema: Schema | undefined): JsonSchema | undefined {
  if (schema === undefined || !isStandard(schema)) return schema
  const source = schema['~standard'] as JsonSchemaSource
  try {
    return source.jsonSchema?.input({ target: 'draft-2020-12' })
  } catch {
    // The specification lets a library throw for a schema that JSON Schema can't say, such as a transformation.
    return undefined
  }
}
