import fc from 'fast-check'
import { expect, test } from 'vitest'
import { manifestFaults, manifestSchema, readDefaults } from '../../runtime/protocol/manifest.ts'

const node = (defaults: unknown, more = {}) => ({ name: 'a', type: 'custom' as const, defaults, ...more })

test('what a manifest says well is taken', () => {
  const retry = { attempts: 3, backoff: 'fixed', baseMs: 5, maxMs: 9, on: ['default', 'status:422'], maxAgeMs: 60_000 }
  const said = { prefetch: 5, timeoutMs: 900, inPlaceMaxMs: 5_000, onFail: 'block', partitionKey: '/id', retry }
  const { defaults, faults } = readDefaults(node(said, { path: '/own', service: 'geo' }))
  expect(defaults).toEqual({ ...said, path: '/own', service: 'geo' })
  expect(faults).toEqual([])
})

test('a node needs no defaults to be in a manifest', () => {
  const manifest = { protocol: 1, worker: 'w', nodes: [{ name: 'a', type: 'custom' }] }
  const { nodes } = manifestSchema.parse(manifest)
  expect(nodes.map(readDefaults)).toEqual([{ defaults: {}, faults: [] }])
})

test('a default that can not be used is reported by its place, and the others count', () => {
  const said = {
    prefetch: 50,
    timeoutMs: 900,
    retry: { attempts: 0, baseMs: 7, on: ['sometimes'], retries: 3 },
    prefetsh: 2,
  }
  expect(readDefaults(node(said)).defaults).toEqual({ timeoutMs: 900, retry: { baseMs: 7 } })
  expect(
    manifestFaults({ protocol: 1, worker: 'w', nodes: [node({}), node(said, { path: 'http://elsewhere/' })] }),
  ).toEqual([
    { path: 'nodes[1].path', message: 'expected a plain path such as /nodes/orders' },
    { path: 'nodes[1].defaults.retry.attempts', message: expect.stringContaining('found 0') as string },
    { path: 'nodes[1].defaults.retry.on', message: expect.stringContaining('status:500-504') as string },
    { path: 'nodes[1].defaults.retry.retries', message: expect.stringContaining('no such default') as string },
    { path: 'nodes[1].defaults.prefetch', message: expect.stringContaining('expected at most 20; found 50') as string },
    { path: 'nodes[1].defaults.prefetsh', message: 'there is no such default (did you mean "prefetch"?)' },
  ])
})

test('no manifest that is one makes reading its defaults throw', () => {
  const defaults = fc.oneof(
    fc.jsonValue(),
    fc.dictionary(fc.constantFrom('prefetch', 'retry', 'timeoutMs', '__proto__', 'toString'), fc.jsonValue()),
  )
  fc.assert(
    fc.property(defaults, fc.option(fc.string(), { nil: undefined }), (said, path) => {
      const parsed = manifestSchema.parse({ protocol: 1, worker: 'w', nodes: [node(said, { path })] })
      for (const fault of manifestFaults(parsed)) expect(fault.path).toMatch(/^nodes\[0\]\./)
      const { prefetch = 1 } = readDefaults(parsed.nodes[0] ?? node({})).defaults
      expect(prefetch === null || (prefetch >= 1 && prefetch <= 20)).toBe(true)
    }),
  )
})
