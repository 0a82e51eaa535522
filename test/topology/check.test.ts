import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkDocument } from '../../runtime/topology/check.ts'
import { readDocument } from '../../runtime/topology/document.ts'
import type { DocumentNode, TopologyDocument } from '../../runtime/topology/schema.ts'
import { custom, documentOf, known, start } from './samples.ts'

const check = (document: TopologyDocument) => checkDocument(document, known)
const one = (node: DocumentNode) => check(documentOf([start, node], `begin>${node.name}`))

describe('the graph', () => {
  test('of a right document has no faults', () => {
    expect(check(documentOf([start, custom('a'), custom('b')], 'begin>a', 'begin>b', 'a>b'))).toEqual([])
  })

  test.each<[string, TopologyDocument, string, string]>([
    [
      'an edge from nowhere',
      documentOf([start, custom('a')], 'begin>a', 'begn>a'),
      'edges[1].from',
      'no node "begn" (did you mean "begin"?)',
    ],
    ['an edge to nowhere', documentOf([start], 'begin>constructor'), 'edges[0].to', 'no node "constructor"'],
    ['an edge twice', documentOf([start, custom('a')], 'begin>a', 'begin>a'), 'edges[1]', 'is there already'],
    ['an edge to itself', documentOf([start, custom('a')], 'begin>a', 'a>a'), 'edges[1]', 'a leads to itself'],
    ['a cycle', documentOf([start, custom('a'), custom('b')], 'begin>a', 'a>b', 'b>a'), 'edges', 'a → b → a'],
    [
      'an edge to an event node',
      documentOf([start, custom('a')], 'begin>a', 'a>begin'),
      'edges[1].to',
      'begin is an event node',
    ],
    [
      'an island',
      documentOf([start, custom('a'), custom('b'), custom('c')], 'begin>a', 'b>c'),
      'nodes[3]',
      'no event node leads to c',
    ],
    ['no event node', documentOf([custom('a')]), 'nodes', 'no event node; add one of type start'],
    [
      'one name twice',
      documentOf([start, custom('a'), custom('a')], 'begin>a'),
      'nodes[2].name',
      'nodes[1] is named a already',
    ],
  ])('with %s has that fault', (_, document, path, message) => {
    expect(check(document)).toContainEqual({ path, message: expect.stringContaining(message) as string })
  })

  test('names two cycles apart, and no node that only hangs on them', () => {
    const nodes = [start, ...['a', 'b', 'c', 'd', 'e'].map((name) => custom(name))]
    const faults = check(documentOf(nodes, 'begin>a', 'a>b', 'b>a', 'b>c', 'c>d', 'd>c', 'd>e'))
    const cycles = faults.map(({ message }) => message).filter((message) => message.includes('cycle'))
    expect(cycles.sort()).toEqual(['the edges form a cycle: a → b → a', 'the edges form a cycle: c → d → c'])
  })

  test('allows as many followers as their names fit in a header', () => {
    const names = Array.from({ length: 60 }, (_, index) => `follower-${String(index).padStart(7, '0')}`)
    const fan = (count: number) => {
      const some = names.slice(0, count)
      return check(documentOf([start, ...some.map((name) => custom(name))], ...some.map((name) => `begin>${name}`)))
    }
    expect(fan(57)).toEqual([])
    expect(fan(58)).toMatchObject([{ path: 'nodes[0]', message: expect.stringContaining('take 1042 bytes') as string }])
  })
})

describe('a node', () => {
  test.each<[DocumentNode, string, string]>([
    [{ name: 'a', type: 'custom' }, 'nodes[1].worker', 'needs a worker'],
    [custom('a', { worker: 'shap' }), 'nodes[1].worker', 'no worker "shap" (did you mean "shop"?)'],
    [custom('a', { service: 'gei' }), 'nodes[1].service', 'no service "gei" (did you mean "geo"?)'],
    [custom('a', { enabled: false }), 'nodes[1].enabled', 'enabled is for event nodes'],
    [custom('a', { maxPages: 3 }), 'nodes[1].maxPages', 'only batch nodes read pages'],
    [custom('a', { cron: '* * * * *' }), 'nodes[1].cron', 'only cron nodes have a schedule'],
    [custom('a', { missed: 'skip' }), 'nodes[1].missed', 'only cron nodes have a schedule'],
    [custom('a', { message: {} }), 'nodes[1].message', 'only cron nodes have a schedule'],
    [custom('a', { overlap: 'skip' }), 'nodes[1].overlap', 'only start and cron nodes'],
    [custom('a', { partitions: 2, prefetch: 5 }), 'nodes[1].prefetch', 'needs prefetch 1, found 5'],
    [custom('a', { retry: { maxMs: 100 } }), 'nodes[1].retry.maxMs', 'less than baseMs (250)'],
    [custom('a', { retry: { baseMs: 400_000 } }), 'nodes[1].retry.maxMs', 'maxMs (300000)'],
  ])('%j has a fault', (node, path, message) => {
    expect(one(node)).toContainEqual({
      path,
      message: expect.stringContaining(message) as string,
    })
  })

  test('a header of a cron node that goes with no message is told why', () => {
    const node = { name: 'c', type: 'cron', cron: '@daily', message: { headers: { foo: 'a' } } }
    const { faults } = readDocument({ name: 'd', nodes: [node], edges: [] })
    const { path, message = '' } = faults[0] ?? {}
    expect(path).toBe('nodes[0].message.headers.foo')
    expect(message).toMatch(/^only headers that begin with x- go with a message/)
  })

  test('of a worker whose manifest is known must be one of its nodes, and of its kind', () => {
    const workers = new Map([['shop', { nodes: [{ name: 'orders', type: 'batch' }] }]])
    const faultsOf = (node: DocumentNode) => checkDocument(documentOf([start, node], `begin>${node.name}`), { workers })
    expect(faultsOf({ name: 'orders', type: 'batch', worker: 'shop' })).toEqual([])
    expect(faultsOf(custom('x', { path: '/own' }))).toEqual([])
    expect(faultsOf(custom('order'))).toMatchObject([
      { path: 'nodes[1]', message: 'worker shop has no node "order" (did you mean "orders"?)' },
    ])
    expect(faultsOf(custom('a', { uses: 'orders' }))).toMatchObject([{ path: 'nodes[1].type' }])
    expect(faultsOf(custom('a', { uses: 'x' }))).toMatchObject([{ path: 'nodes[1].uses' }])
  })

  test('that is an event node has nothing of a worker node', () => {
    const node: DocumentNode = { ...start, worker: 'shop', retry: {}, prefetch: 2, emit: 'page' }
    const paths = check(documentOf([node])).map(({ path }) => path)
    expect(paths).toEqual(['prefetch', 'worker', 'retry', 'emit'].map((key) => `nodes[0].${key}`))
    const { prefetch: _, ...shaped } = node
    expect(check(documentOf([shaped])).map(({ path }) => path)).toEqual([
      'nodes[0].worker',
      'nodes[0].retry',
      'nodes[0].emit',
    ])
  })

  test('of type webhook say how deliveries are taken, and no others do', () => {
    const hook = { verify: { scheme: 'token', header: 'X-Key' }, handshake: { query: 'q' } } as const
    const paths = (node: DocumentNode) => check(documentOf([node])).map(({ path }) => path)
    expect(paths({ name: 'hook', type: 'webhook', ...hook })).toEqual([])
    expect(paths({ name: 'begin', type: 'start', ...hook, accept: {} })).toEqual([
      'nodes[0].verify',
      'nodes[0].handshake',
      'nodes[0].accept',
    ])
    const carried = { accept: { headers: ['x-other', 'x-key'] } }
    expect(paths({ name: 'hook', type: 'webhook', ...hook, ...carried })).toEqual(['nodes[0].accept.headers[1]'])
  })

  test('of type cron needs a schedule, and a time zone that there is', () => {
    const cron = (fields: Partial<DocumentNode>) => check(documentOf([{ name: 'daily', type: 'cron', ...fields }]))
    expect(cron({ cron: '0 6 * * *', timezone: 'Europe/Prague', overlap: 'queue', missed: 'skip' })).toEqual([])
    const paths = cron({ cron: '0 25 * * *', timezone: 'Europe/Prag' }).map(({ path }) => path)
    expect(paths).toEqual(['nodes[0].cron', 'nodes[0].timezone'])
    expect(cron({}).map(({ path }) => path)).toEqual(['nodes[0].cron'])
  })
})

test('faults of shape and of the graph are shown at once', () => {
  const document = documentOf([start, custom('a', { prefetch: 99 })], 'begin>a', 'a>b')
  expect(check(document).map(({ path }) => path)).toEqual(['nodes[1].prefetch', 'edges[1].to'])
})

/** A start node, then nodes 1…n, each reached from at least one before it. */
const dags = fc.integer({ min: 2, max: 20 }).chain((count) =>
  fc
    .tuple(
      fc.tuple(...Array.from({ length: count - 1 }, (_, index) => fc.nat(index))),
      fc.array(fc.tuple(fc.nat(count - 1), fc.nat(count - 1)), { maxLength: 30 }),
    )
    .map(([parents, more]) => {
      const forward = more.filter(([from, to]) => from < to)
      const edges = [...parents.map((parent, index) => [parent, index + 1] as const), ...forward]
      return { count, edges: [...new Set(edges.map(([from, to]) => `n${from}>n${to}`))] }
    }),
)
const nodesOf = (count: number): DocumentNode[] =>
  Array.from({ length: count }, (_, index) => (index === 0 ? { name: 'n0', type: 'start' } : custom(`n${index}`)))

describe('any graph', () => {
  test('without a way back has no faults', () => {
    fc.assert(fc.property(dags, ({ count, edges }) => check(documentOf(nodesOf(count), ...edges)).length === 0))
  })

  test('with an edge against its direction has a cycle, which is named', () => {
    fc.assert(
      fc.property(dags, fc.nat(), ({ count, edges }, pick) => {
        const [from, to] = edges[pick % edges.length]!.split('>')
        const faults = check(documentOf(nodesOf(count), ...edges, `${to}>${from}`))
        const cycle = faults.find(({ message }) => message.includes('cycle'))
        expect(cycle?.message).toContain(`${to} → ${from}`)
      }),
    )
  })

  test('of whatever values is checked without throwing', () => {
    const values = fc.oneof(
      fc.anything(),
      fc.record({ name: fc.anything(), nodes: fc.array(fc.anything()), edges: fc.array(fc.anything()) }),
      fc.record({
        name: fc.string(),
        nodes: fc.array(
          fc.record({
            name: fc.constantFrom('a', 'b', '__proto__'),
            type: fc.constantFrom('start', 'cron', 'x'),
            cron: fc.anything(),
          }),
        ),
        edges: fc.array(fc.record({ from: fc.constantFrom('a', 'b', ''), to: fc.constantFrom('a', 'b', '__proto__') })),
      }),
    )
    fc.assert(fc.property(values, (value) => Array.isArray(check(value as TopologyDocument))))
    const circular: Record<string, unknown> = {}
    circular['self'] = circular
    expect(one(custom('a', { settings: circular }))).toMatchObject([{ path: 'nodes[1].settings' }])
  })
})
