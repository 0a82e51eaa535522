import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createApi } from '../../runtime/api/api.ts'
import type { ApiDeps } from '../../runtime/api/deps.ts'

const api = createApi({ version: '1.2.3' } as ApiDeps)
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

test('the readable page loads nothing from anywhere', async () => {
  const response = await api.request('/api/docs')
  const html = await response.text()
  expect(response.headers.get('content-security-policy')).toBe("default-src 'none'; style-src 'unsafe-inline'")
  expect(html.includes('<code>/api/topologies/{topology}/republish</code>')).toBe(true)
  expect(html.includes('<script') || /<(link|img|iframe)|(src|href)="http/.test(html)).toBe(false)
})
