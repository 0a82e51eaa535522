import type { ApiDocument, Operation, Parameter } from './document.ts'
import { examples } from './examples.ts'
import { own, tagTexts, words } from './words.ts'

type Schema = Readonly<Record<string, unknown>>
type Content = Readonly<Record<string, { readonly schema?: object }>>

/** What is the same for every route, or better said in one place: words, examples, tags, and that some routes need no token. */
export function described(document: ApiDocument): ApiDocument {
  const { paths, components } = document
  const used = new Set(Object.values(paths).flatMap((item) => Object.values(item).flatMap(({ tags }) => tags)))
  return {
    ...document,
    // Of OpenAPI 3.1, which the library's types don't know.
    info: { ...document.info, license: { name: 'Apache License 2.0', identifier: 'Apache-2.0' } },
    tags: [...used].map((name) => ({ name, description: tagTexts[name] ?? '' })),
    components: { ...components, schemas: mapped(components.schemas, withWords) },
    paths: mapped(paths, (item) => mapped(item, whole)),
  }
}

/** An empty `security` says that none is needed; without it a reader can't know. */
function whole(operation: Operation): Operation {
  const { security = [], parameters } = operation
  return {
    ...withExamples(operation),
    security,
    ...(parameters && { parameters: parameters.map((parameter) => withWord(parameter)) }),
  }
}

const paramWords: Readonly<Record<string, string>> = {
  id: 'Id, as it was answered when the thing was made or listed',
  name: 'Its name',
  node: 'Id or name of a node',
  since: 'At that time or later',
  until: 'Before that time',
  state: 'Only those that stand so',
}

function withWord(parameter: Parameter): Parameter {
  const description = parameter.description ?? paramWords[parameter.name] ?? words[parameter.name]
  return description === undefined ? parameter : { ...parameter, description }
}

function withWords(schema: Schema, name: string): Schema {
  const { properties } = schema
  if (properties === undefined) return schema
  const say = (part: Schema, key: string): Schema => {
    const description = part.description ?? own[`${name}.${key}`] ?? ('$ref' in part ? undefined : words[key])
    return description === undefined ? part : { ...part, description }
  }
  return { ...schema, properties: mapped(properties as Readonly<Record<string, Schema>>, say) }
}

function withExamples(operation: Operation): Operation {
  const { request, answer } = examples[operation.operationId] ?? {}
  const { requestBody, responses } = operation
  const good = Object.keys(responses).find((code) => code.startsWith('2')) ?? ''
  const content = responses[good]?.content
  return {
    ...operation,
    ...(requestBody &&
      request !== undefined && { requestBody: { ...requestBody, content: showing(requestBody.content, request) } }),
    ...(content &&
      answer !== undefined && {
        responses: { ...responses, [good]: { ...responses[good], content: showing(content, answer) } },
      }),
  }
}

const showing = (content: Content, example: unknown): Content => mapped(content, (media) => ({ ...media, example }))

function mapped<T, R>(record: Readonly<Record<string, T>>, change: (value: T, key: string) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)]))
}
