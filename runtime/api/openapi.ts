import { STATUS_CODES } from 'node:http'
import type { Api } from './deps.ts'
import { described } from './describe/describe.ts'
import type { ApiDocument, Operation, Parameter } from './describe/document.ts'
import { withNames } from './naming.ts'

type Raw = Operation & { readonly 'x-problems'?: readonly number[] }

const description = `Sluiceway moves data record by record through a graph of small HTTP workers joined by durable queues.

Send \`Authorization: Bearer <token>\`. Errors are \`application/problem+json\` (RFC 9457). Lists take \`limit\` and \`after\`, and answer \`{items, next}\`. Reads carry an \`ETag\`; a change with \`If-Match\` is refused with 412 when somebody else was faster, and without it the last write wins. \`{topology}\` is an id or a name.`

/** The OpenAPI 3.1 document of all routes; equal routes give an equal document, byte by byte. */
export function openapiDocument(app: Api, version: string): ApiDocument {
  const document = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: { title: 'Sluiceway', version, description },
    servers: [{ url: '/', description: 'The engine that serves this document' }],
  }) as unknown as ApiDocument
  const components = {
    schemas: withNames({ ...document.components.schemas, Problem: problemSchema }),
    responses: problemResponses,
    securitySchemes,
  }
  return described({ ...document, components, paths: mapPaths(document.paths) })
}

const securitySchemes = {
  bearer: { type: 'http', scheme: 'bearer', description: 'A token' },
  session: {
    type: 'apiKey',
    in: 'cookie',
    name: '__Host-sluice_session',
    description: 'Of a login (`createSession`); over plain http it is called `sluice_session`',
  },
}

function mapPaths(paths: Readonly<Record<string, Readonly<Record<string, Raw>>>>): ApiDocument['paths'] {
  const operations = (item: Readonly<Record<string, Raw>>) =>
    Object.fromEntries(Object.entries(item).map(([method, operation]) => [method, withProblems(operation)]))
  return Object.fromEntries(Object.entries(paths).map(([path, item]) => [path, operations(item)]))
}

/** Adds the problems that follow from what an operation takes; the rest it names itself. */
function withProblems({ 'x-problems': own = [], ...operation }: Raw): Operation {
  const codes = new Set(own)
  if (operation.security) for (const code of [401, 403, 429, 500, 503]) codes.add(code)
  if (operation.requestBody) for (const code of [400, 413]) codes.add(code)
  const content = operation.requestBody?.content ?? {}
  if (content['application/json'] ?? content['application/xml']) codes.add(415)
  const parameters = codes.has(412) ? [...(operation.parameters ?? []), ifMatchParameter] : operation.parameters
  for (const parameter of parameters ?? []) codes.add(400).add(parameter.in === 'path' ? 404 : 400)
  const problems = [...codes]
    .filter((code) => !(code in operation.responses))
    .sort((a, b) => a - b)
    .map((code) => [String(code), { $ref: `#/components/responses/${nameOf(code)}` }] as const)
  const responses = { ...operation.responses, ...Object.fromEntries(problems) }
  return { ...operation, ...(parameters && { parameters }), responses }
}

const ifMatchParameter: Parameter = {
  name: 'If-Match',
  in: 'header',
  required: false,
  description: '`ETag` of the read that the change goes by',
  schema: { type: 'string', pattern: '^(\\*|(W/)?"[0-9]{1,9}")$', example: '"3"' },
}

function nameOf(code: number): string {
  return (STATUS_CODES[code] ?? String(code)).replaceAll(' ', '')
}

const problemSchema = {
  type: 'object',
  description: 'RFC 9457',
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    instance: { type: 'string' },
    errors: {
      type: 'array',
      description: 'Every fault of the input, with its path',
      items: {
        type: 'object',
        properties: { path: { type: 'string' }, message: { type: 'string' } },
        required: ['path', 'message'],
      },
    },
    runId: { type: 'string', description: 'Of a body that is split into records: the run of what was accepted' },
    records: { type: 'integer', description: 'Of it: messages' },
    trashed: { type: 'integer', description: 'Of it: what was no record' },
    byte: { type: 'integer', description: 'Where such a body is broken, from 0' },
    line: { type: 'integer', description: 'The same, from 1' },
  },
  required: ['type', 'title', 'status', 'detail', 'instance'],
}

const meanings: Readonly<Record<number, string>> = {
  400: 'The input is wrong: `errors` says where',
  401: 'No token, or not a known one; of a webhook: the signature is not right',
  403: 'The token lacks the scope',
  404: 'There is no such thing',
  405: 'The thing is not reached by this method: `Allow` has those by which it is',
  408: 'Nothing came for too long',
  409: 'The state of the thing forbids it',
  412: 'Somebody else changed it since it was read',
  413: 'The body is larger than 8 MiB, or than a webhook takes',
  415: 'The body is of another type than the one that is taken',
  500: 'The engine failed; its log says why',
  429: 'Too many wrong tokens, or addresses of webhooks, came from this address, or too much of the topology is unfinished; `Retry-After` says when to try again',
  503: 'A part that is needed is away or has no room left; `Retry-After` says when to try again',
}

function headersOf(code: number): { headers?: object } {
  const header = (name: string, description: string, schema: object) => ({
    headers: { [name]: { description, required: true, schema } },
  })
  if (code === 429 || code === 503) return header('Retry-After', 'Seconds', { type: 'integer', minimum: 1 })
  return code === 401 ? header('WWW-Authenticate', 'How to authenticate', { type: 'string' }) : {}
}

const problemResponses = Object.fromEntries(
  Object.entries(meanings).map(([code, description]) => [
    nameOf(Number(code)),
    {
      description,
      ...headersOf(Number(code)),
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    },
  ]),
)

/** Methods that some route has for this path; none when no route knows it. A path that a route names in full is no id of another. */
export function allowedMethods(app: Api, path: string): string[] {
  const matching = app.routes.filter(({ method, path: pattern }) => method !== 'ALL' && patternOf(pattern).test(path))
  const named = matching.filter(({ path: pattern }) => pattern === path)
  return [...new Set((named.length > 0 ? named : matching).map(({ method }) => method))].sort()
}

function patternOf(path: string): RegExp {
  const escaped = path.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`^${escaped.replace(/:[^/]+/g, '[^/]+')}$`)
}
