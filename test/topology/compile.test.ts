import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compilePlan, republishPlan, type CompileInput, type StoredNode } from '../../runtime/topology/compile.ts'
import type { WorkerNode } from '../../runtime/topology/plan.ts'
import type { DocumentNode } from '../../runtime/topology/schema.ts'
import { custom, documentOf, start } from './samples.ts'

const none = new Map()
const nodeIds = new Map(['begin', 'a', 'b'].map((name) => [name, `id-${name}`]))

function compile(node: DocumentNode, stored: StoredNode = {}, defaults: CompileInput['defaults'] = new Map()) {
  const document = documentOf([start, node, custom('b')], 'begin>b', 'begin>a', 'a>b')
  return compilePlan({ topologyId: 't1', revision: 3, document, nodeIds, stored: new Map([['a', stored]]), defaults })
}

const nodeA = (...given: Parameters<typeof compile>) => compile(...given).nodes[1] as WorkerNode

describe('a plan', () => {
  test('has every default, and followers by id in the order of the edges', () => {
    expect(compile(custom('a'))).toMatchObject({ topologyId: 't1', name: 'orders', revision: 3 })
    expect(compile(custom('a')).nodes[0]).toEqual({
      id: 'id-begin', name: 'begin', type: 'start', followers: ['id-b', 'id-a'], enabled: true,
    }) // prettier-ignore
    expect(nodeA(custom('a'))).toEqual({
      id: 'id-a', name: 'a', type: 'custom', followers: ['id-b'], worker: 'shop', uses: 'a', path: '/nodes/a', service: null, prefetch: 1,
      partitions: 1, partitionKey: null, generation: 0, past: [],
      timeoutMs: 30_000, inPlaceMaxMs: 120_000, onFail: 'skip', emit: { kind: 'page' }, maxPages: 1_000_000, settings: null,
      retry: { attempts: 10, backoff: 'exponential', baseMs: 250, maxMs: 300_000, on: ['default'], maxAgeMs: null },
    }) // prettier-ignore
  })

  test('takes what the document says', () => {
    const said = {
      service: 'geo',
      prefetch: 7,
      timeoutMs: 500,
      onFail: 'block',
      maxPages: 2,
      settings: { x: 1 },
    } as const
    const node = nodeA(custom('a', { ...said, uses: 'normalise', emit: 'chunks=50', retry: { on: ['timeout'] } }))
    expect(node).toMatchObject({ ...said, path: '/nodes/normalise', emit: { kind: 'chunks', n: 50 } })
    expect(node.retry).toMatchObject({ attempts: 10, on: ['timeout'] })
    expect(nodeA(custom('a', { uses: 'x', path: '/own' })).path).toBe('/own')
  })

  test('prefers stored values to the document, and the document to defaults of the worker', () => {
    const node = custom('a', { prefetch: 2, retry: { attempts: 2, baseMs: 20 } })
    const defaults = new Map([
      ['a', { prefetch: 3, timeoutMs: 3000, path: '/v3', service: 's3', retry: { attempts: 3, maxMs: 30 } }],
    ])
    const { prefetch, timeoutMs, path, service, retry } = nodeA(
      node,
      { prefetch: 1, timeoutMs: null, retry: { attempts: 1 } },
      defaults,
    )
    expect({ prefetch, timeoutMs, path, service }).toEqual({ prefetch: 1, timeoutMs: 3000, path: '/v3', service: 's3' })
    expect(retry).toMatchObject({ attempts: 1, baseMs: 20, maxMs: 30 })
  })

  test('never has a longest delay under the shortest', () => {
    expect(nodeA(custom('a'), { retry: { baseMs: 900_000 } }).retry).toMatchObject({ baseMs: 900_000, maxMs: 900_000 })
  })

  test('of a node without an id is refused by name', () => {
    const document = documentOf([start], 'begin>c')
    const input = { topologyId: 't1', revision: 1, document, nodeIds, stored: new Map() }
    expect(() => compilePlan(input)).toThrow('topology t1: the node c has no id')
  })
})

describe('each value and each field of a retry policy', () => {
  const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
  const values = fc.record(
    {
      timeoutMs: fc.integer({ min: 100, max: 1000 }),
      inPlaceMaxMs: fc.integer({ min: 1000, max: 2000 }),
      onFail: fc.constantFrom('skip' as const, 'block' as const),
      retry: fc.record({ attempts: maybe(fc.integer({ min: 1, max: 100 })), maxAgeMs: maybe(fc.integer({ min: 1 })) }),
    },
    { requiredKeys: [] },
  )

  test('comes from the node, else its document, else the manifest, else the default', () => {
    fc.assert(
      fc.property(values, values, values, (stored, said, manifest) => {
        const node = nodeA(custom('a', said), stored, new Map([['a', manifest]]))
        const places = [stored, said, manifest]
        const first = <T>(of: (place: typeof stored) => T | undefined, or: T) =>
          places.map(of).find((value) => value !== undefined) ?? or
        expect(node).toMatchObject({
          timeoutMs: first((place) => place.timeoutMs, 30_000),
          inPlaceMaxMs: first((place) => place.inPlaceMaxMs, 120_000),
          onFail: first((place) => place.onFail, 'skip'),
          retry: {
            attempts: first((place) => place.retry?.attempts, 10),
            maxAgeMs: first<number | null>((place) => place.retry?.maxAgeMs, null),
          },
        })
      }),
    )
  })
})

describe('republish', () => {
  test('takes a value that is not set any more back to the default', () => {
    const before = compile(custom('a'), { timeoutMs: 500, onFail: 'block', retry: { attempts: 2, on: ['any'] } })
    const defaults = new Map([['a', { timeoutMs: 700, retry: { attempts: 5 } }]])
    const after = republishPlan(before, new Map([['a', { retry: { on: ['timeout'] } }]]), defaults).nodes[1]
    expect(after).toMatchObject({ timeoutMs: 700, onFail: 'skip', retry: { attempts: 5, on: ['timeout'] } })
  })

  test('takes stored values into the graph in force as the next revision, and nothing else', () => {
    const current = compile(custom('a', { settings: { x: 1 } }))
    const stored = new Map<string, StoredNode>([
      ['a', { prefetch: 9, retry: { attempts: 4 } }],
      ['begin', { enabled: false }],
      ['unpublished', { prefetch: 2 }],
    ])
    const next = republishPlan(current, stored, none)
    const [begin, a, b] = current.nodes
    expect(next).toEqual({
      ...current,
      revision: 4,
      nodes: [
        { ...begin, enabled: false },
        { ...a, prefetch: 9, retry: { ...(a as WorkerNode).retry, attempts: 4 } },
        b,
      ],
    })
  })

  test('twice with the same values changes only the revision', () => {
    fc.assert(
      fc.property(fc.record({ prefetch: fc.integer({ min: 1, max: 20 }), timeoutMs: fc.nat() }), (values) => {
        const stored = new Map([['a', values]])
        const once = republishPlan(compile(custom('a')), stored, none)
        expect(republishPlan(once, stored, none)).toEqual({ ...once, revision: once.revision + 1 })
      }),
    )
  })
})
