import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, test } from 'vitest'
import { createApi } from '../../runtime/api/api.ts'
import type { ApiDeps } from '../../runtime/api/deps.ts'

const api = createApi({ version: '1.2.3', consoleFolder: null } as ApiDeps)
const read = async (path: string) => (await api.request(path)).text()

test('the document is the one in docs/, but for the version', async () => {
  const served = JSON.parse(await read('/api/openapi.json')) as { info: { version: string } }
  const kept = JSON.parse(readFileSync(new URL('../../docs/openapi.json', import.meta.url), 'utf8')) as typeof served
  expect(served.info.version).toBe('1.2.3')
  expect({ ...served, info: null }).toEqual({ ...kept, info: null })
})

test('every operation has a name of its own, a summary, and resolves its references', async () => {
  const text = await read('/api/openapi.json')
  const { openapi, paths, components } = JSON.parse(text) as {
    openapi: string
    paths: Record<string, Record<string, { operationId: string; summary: string }>>
    components: Record<string, Record<string, unknown>>
  }
  expect(openapi).toBe('3.1.0')
  const operations = Object.values(paths).flatMap((item) => Object.values(item))
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length)
  expect(operations.every(({ summary }) => summary.length > 0)).toBe(true)
  for (const [, kind, name] of text.matchAll(/"#\/components\/(\w+)\/(\w+)"/g))
    expect(components[kind ?? '']).toHaveProperty(name ?? '')
})

test('what stands in a named schema has a name, too, and nothing named is null itself', async () => {
  type Schema = { type?: unknown; properties?: Record<string, Schema>; items?: Schema; enum?: unknown[] }
  const { components } = JSON.parse(await read('/api/openapi.json')) as {
    components: { schemas: Record<string, Schema> }
  }
  for (const [name, { type, properties = {} }] of Object.entries(components.schemas)) {
    expect([name, type]).not.toEqual([name, expect.arrayContaining(['null'])])
    for (const [key, part] of Object.entries(properties)) {
      const { properties: inner, enum: values = [] } = part.items ?? part
      expect([`${name}.${key}`, inner, values.length < 2]).toEqual([`${name}.${key}`, undefined, true])
    }
  }
  expect(components.schemas).toMatchObject({
    Node: { properties: { pausedBy: { anyOf: [{ $ref: '#/components/schemas/NodePausedBy' }, { type: 'null' }] } } },
    TopologyDocument: { properties: { nodes: { items: { $ref: '#/components/schemas/TopologyDocumentNode' } } } },
  })
})

test('docs/api.md names every operation with its scope, and no other', async () => {
  type Item = Record<string, { security?: { bearer: string[] }[] }>
  const { paths } = JSON.parse(await read('/api/openapi.json')) as { paths: Record<string, Item> }
  const routes = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(
      ([method, { security }]) => `${method.toUpperCase()} ${path} ${security?.[0]?.bearer[0] ?? ''}`,
    ),
  )
  const text = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8')
  const rows = [...text.matchAll(/^\| ([A-Z]+) \| `([^`]+)` \| ?(\w*) \|/gm)].map((row) => row.slice(1).join(' '))
  expect(rows.sort()).toEqual(routes.sort())
})

interface Media {
  readonly schema: object
  readonly example?: unknown
}

interface Described {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly security: readonly unknown[]
  readonly parameters?: readonly { readonly name: string; readonly description?: string }[]
  readonly requestBody?: { readonly content: Record<string, Media> }
  readonly responses: Record<string, { readonly content?: Record<string, Media> }>
}

const operationsOf = async () => {
  const { paths, components, tags } = JSON.parse(await read('/api/openapi.json')) as {
    paths: Record<string, Record<string, Described>>
    components: object
    tags: { name: string; description: string }[]
  }
  return { operations: Object.values(paths).flatMap((item) => Object.values(item)), components, tags }
}

test('every body that an operation takes has an example, and every example fits its schema', async () => {
  const { operations, components } = await operationsOf()
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  for (const { operationId, requestBody, responses } of operations) {
    const bodies = Object.entries(requestBody?.content ?? {}).filter(([type]) => type !== '*/*')
    for (const [type, { example }] of bodies) expect([operationId, type, example]).not.toContain(undefined)
    const contents = [requestBody, ...Object.values(responses)].flatMap((part) => Object.values(part?.content ?? {}))
    for (const { schema, example } of contents.filter((media) => media.example !== undefined)) {
      const isFit = ajv.validate({ ...schema, components }, example)
      expect([operationId, isFit, ajv.errors]).toEqual([operationId, true, null])
    }
  }
})

test('every tag, every parameter, and whether a token is needed, is described', async () => {
  const { operations, tags } = await operationsOf()
  const told = new Set(tags.flatMap(({ name, description }) => (description === '' ? [] : [name])))
  for (const { operationId, tags: used, parameters = [], security } of operations) {
    const silent = parameters.filter(({ description = '' }) => description === '').map(({ name }) => name)
    const unknown = used.filter((tag) => !told.has(tag))
    expect([operationId, silent, unknown, Array.isArray(security)]).toEqual([operationId, [], [], true])
  }
})

test('the readable page loads nothing from anywhere', async () => {
  const response = await api.request('/api/docs')
  const html = await response.text()
  expect(response.headers.get('content-security-policy')).toBe("default-src 'none'; style-src 'unsafe-inline'")
  expect(html.includes('<code>/api/topologies/{topology}/republish</code>')).toBe(true)
  expect(html.includes('<script') || /<(link|img|iframe)|(src|href)="http/.test(html)).toBe(false)
})
