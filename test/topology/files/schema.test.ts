import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { projectFiles } from '../../../runtime/commands/init/templates.ts'
import { editorSchema } from '../../../runtime/topology/files/json-schema.ts'
import { readDocument, unsafeValue } from '../../../runtime/topology/document.ts'
import { documents } from './arbitrary.ts'

const validate = new Ajv({ strict: true, strictRequired: false, allErrors: true, allowUnionTypes: true }).compile(
  editorSchema(),
)
const isTaken = (value: unknown): boolean => readDocument(value).faults.length === 0

test('docs/topology.schema.json is the schema', () => {
  expect(JSON.parse(readFileSync('docs/topology.schema.json', 'utf8'))).toEqual(editorSchema())
})

/** Every topology in the samples, the docs and the template of a project. */
function samples(): [string, unknown][] {
  const files = readdirSync('workers/samples', { recursive: true, encoding: 'utf8' })
    .filter((file) => /topology[^/]*\.ya?ml$/.test(file) && !file.includes('node_modules'))
    .map((file): [string, string] => [file, readFileSync(join('workers/samples', file), 'utf8')])
  const pages = ['docs/topology.md', 'docs/api.md', 'README.md'].flatMap((page) =>
    [...readFileSync(page, 'utf8').matchAll(/^```yaml\n([^]*?)^```/gm)].map(([, text], i): [string, string] => [
      `${page} ${i}`,
      text ?? '',
    ]),
  )
  const template = projectFiles({ name: 'shop', sluice: 'sluice', dependencies: {}, allowScripts: {} })['topology.yaml']
  const texts: [string, string][] = [...files, ...pages, ['template', template ?? '']]
  return texts.flatMap(([source, text]) =>
    parseAllDocuments(text).map((one): [string, unknown] => [source, one.toJS()]),
  )
}

test.each(samples())('the sample %s is taken by the schema', (_, document) => {
  validate(document)
  expect(validate.errors).toBeNull()
})

const node = (fields: object) => ({ name: 't', nodes: [{ name: 'a', type: 'custom', ...fields }], edges: [] })

test.each([
  node({ prefetch: 0 }),
  node({ prefetch: 21 }),
  node({ prefetch: 1.5 }),
  node({ type: 'start', prefetch: 2 }),
  node({ type: 'strat' }),
  node({ name: 'A' }),
  node({ prefech: 1 }),
  node({ partitions: 65 }),
  node({ partitionKey: 'customer' }),
  node({ partitionKey: '/a~2' }),
  node({ partitionKey: 'header:customer' }),
  ...['//host', 'nodes', '/a/../b', '/%2e%2E/b', '/a?b', '/a b', '/.'].map((path) => node({ path })),
  ...['pages', 'chunks=0', 'chunks=100001', 'chunks=', 'chunks=0000010'].map((emit) => node({ emit })),
  node({ retry: { attempts: 0 } }),
  node({ retry: { on: ['status:600'] } }),
  node({ retry: { tries: 1 } }),
  node({ settings: [] }),
  node({ enabled: 'yes' }),
  { name: 't' },
  { nodes: [] },
  { name: 't', nodes: {} },
  { name: 't', nodes: [], labels: { a: 1 } },
  { name: 't', nodes: [], labels: { '': 'x' } },
  { name: 't', nodes: [], edges: [{ from: 'a' }] },
  { name: 't', nodes: [], $schema: 1 },
  [],
  null,
  'name: t',
])('neither schema nor reader takes %j', (document) => {
  expect([isTaken(document), validate(document)]).toEqual([false, false])
})

test.each([
  node({ partitionKey: 'HEADER:X-Customer' }),
  node({ partitionKey: '/' }),
  node({ type: 'batch_connector', prefetch: 20 }),
  ...['/', '/a.b/c..d', '/%20', '/.../x'].map((path) => node({ path })),
  ...['page', ' Records ', 'chunks=100000', 'Chunks=007'].map((emit) => node({ emit })),
  node({ retry: { maxAgeMs: null, on: ['status:5xx', 'default'] } }),
  { name: 't', nodes: [], $schema: 'https://example.org/topology.schema.json' },
])('both schema and reader take %j', (document) => {
  expect([isTaken(document), validate(document)]).toEqual([true, true])
})

test('every document of a right shape is taken by both', () => {
  fc.assert(fc.property(documents, (document) => isTaken(document) && validate(document)))
})

/** A document, and a value of it replaced by something else. */
const bent = fc
  .tuple(documents, fc.nat(), fc.oneof(fc.constant(undefined), fc.jsonValue({ maxDepth: 1 })))
  .map(([document, at, value]) => {
    const copy = structuredClone(document) as unknown as Record<string, unknown>
    const places: [Record<string, unknown>, string][] = []
    const walk = (here: Record<string, unknown>): void => {
      for (const key of Object.keys(here)) {
        places.push([here, key])
        if (typeof here[key] === 'object' && here[key] !== null) walk(here[key] as Record<string, unknown>)
      }
    }
    walk(copy)
    const [where, key] = places[at % places.length] ?? [copy, 'name']
    if (value === undefined && !Array.isArray(where)) Reflect.deleteProperty(where, key)
    else where[key] = value ?? null
    return JSON.parse(JSON.stringify(copy)) as unknown
  })

test('of documents with a value that is bent, schema and reader take the same', () => {
  fc.assert(
    fc.property(bent, (document) => {
      fc.pre(unsafeValue(document) === null)
      expect({ document, taken: validate(document) }).toEqual({ document, taken: isTaken(document) })
    }),
    { numRuns: 400 },
  )
})
