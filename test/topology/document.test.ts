import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { checkDocument } from '../../runtime/topology/check.ts'
import { parseDocument, parseDocuments, readDocument } from '../../runtime/topology/document.ts'
import { documentJsonSchema } from '../../runtime/topology/schema.ts'
import { custom, documentOf, start } from './samples.ts'

const shape = 'name: orders\nnodes:\n  - { name: begin, type: start }\n'

describe('a document', () => {
  test('of a list that is wrong is told by its number and name', () => {
    const node = { name: 'begin', type: 'stat' }
    const text = JSON.stringify([{ name: 'right', nodes: [] }, { name: 'orders', nodes: [node] }, { name: 7 }])
    const messages = parseDocuments(text, 'stdin').faults.map(({ path, message }) => `${path}: ${message}`)
    expect(messages[0]).toMatch(/^nodes\[0\]\.type: stdin:1, document 2 \(orders\): .*start/)
    expect(messages.slice(1).join()).toMatch(/^name: stdin:1, document 3: /)
    expect(parseDocument(JSON.stringify({ name: 'orders', nodes: [node] }), 'stdin').faults[0]?.message).toMatch(
      /^stdin:1: /,
    )
  })

  test('of the docs parses and can be published', async () => {
    const page = await readFile('docs/topology.md', 'utf8')
    const { document, faults } = parseDocument(/```yaml\n(.*?)```/s.exec(page)![1]!, 'docs/topology.md')
    expect(faults).toEqual([])
    const workers = new Map([
      [
        'shop',
        {
          nodes: [
            { name: 'orders', type: 'batch' },
            { name: 'normalise', type: 'custom' },
          ],
        },
      ],
      ['warehouse', null],
    ])
    expect(checkDocument(document!, { workers, services: new Set(['shopify']) })).toEqual([])
  })

  test('is the same as JSON and as YAML', () => {
    const document = documentOf([start, custom('a', { retry: { attempts: 3 }, settings: { x: [1] } })], 'begin>a')
    expect(parseDocument(JSON.stringify(document, null, '\t'), 'a.json')).toEqual({ document, faults: [] })
    expect(parseDocument(stringify(document), 'a.yaml')).toEqual({ document, faults: [] })
  })

  test('may leave its edges out, and may call a batch node by its old name', () => {
    const { document } = parseDocument(`${shape}  - { name: a, type: batch_connector }`, 'a.yaml')
    expect(document).toMatchObject({ nodes: [{ type: 'start' }, { type: 'batch' }], edges: [] })
  })

  test('may share a policy through an anchor', () => {
    const text = `${shape}  - { name: a, type: custom, retry: &slow { baseMs: 900 } }\n  - { name: b, type: custom, retry: *slow }`
    expect(parseDocument(text, 'a.yaml').document?.nodes[2]?.retry).toEqual({ baseMs: 900 })
  })

  test('may stand in a file with others', () => {
    const { documents, faults } = parseDocuments(
      `# first\n${shape}---\n---\n${shape.replace('orders', 'stock')}`,
      'all.yaml',
    )
    expect(faults).toEqual([])
    expect(documents.map(({ name }) => name)).toEqual(['orders', 'stock'])
  })
})

describe('a fault', () => {
  const faultsOf = (text: string) => parseDocument(text, 'a.yaml').faults

  test('says file, line, path, what was expected and what was found; all of them at once', () => {
    const text =
      'name: Orders\nnodes:\n  - name: begin\n    type: start\n  - name: a\n    type: custom\n    prefetch: 21\n    retry:\n      on: [later]\n'
    expect(faultsOf(text)).toEqual([
      { path: 'name', message: 'a.yaml:1: expected a name of 1 to 63 characters: a–z, 0–9 and -; found "Orders"' },
      {
        path: 'nodes[1].prefetch',
        message: expect.stringMatching(/^a\.yaml:7: .*expected at most 20; found 21$/) as string,
      },
      {
        path: 'nodes[1].retry.on[0]',
        message: expect.stringMatching(/^a\.yaml:9: expected timeout, .*found "later"$/) as string,
      },
      { path: 'nodes[1].worker', message: 'a.yaml:5: a needs a worker that implements it' },
      { path: 'nodes[1]', message: 'a.yaml:5: no event node leads to a; add an edge to it' },
    ])
  })

  test('of its shape does not hide those between nodes and fields: all come in one answer', () => {
    const nodes = [
      '{ name: begin, type: start }',
      '{ name: a, type: custom, worker: w, prefech: 3, prefetch: 2, partitions: 4 }',
      '{ name: b, type: custom, worker: w, timeoutMs: 1, retry: { baseMs: 500, maxMs: 20 } }',
      '{ name: c, type: custom, worker: w, prefetch: 4, onFail: block }',
    ]
    const edges = ['begin>a', 'a>b', 'b>a', 'a>c', 'a>d'].map((edge) =>
      edge.replace(/(.*)>(.*)/, '{ from: $1, to: $2 }'),
    )
    const text = `name: x\nlabel: {}\nnodes:\n  - ${nodes.join('\n  - ')}\nedges:\n  - ${edges.join('\n  - ')}\n`
    expect(
      faultsOf(text)
        .map(({ path }) => path)
        .sort(),
    ).toEqual([
      'edges',
      'edges[4].to',
      'label',
      'nodes[1].prefech',
      'nodes[1].prefetch',
      'nodes[2].retry.maxMs',
      'nodes[2].timeoutMs',
      'nodes[3].onFail',
    ])
  })

  test.each([
    ['prefech: 2', 'nodes[0].prefech', 'unknown key "prefech" (did you mean "prefetch"?)'],
    ['retry: { attemps: 2 }', 'nodes[0].retry.attemps', '(did you mean "attempts"?)'],
    ['xyzzyxyzzy: 2', 'nodes[0].xyzzyxyzzy', 'unknown key "xyzzyxyzzy"'],
  ])('names the key that was meant by %s', (line, path, message) => {
    const [fault] = faultsOf(`name: a\nnodes:\n  - name: b\n    type: custom\n    ${line}\n`)
    expect(fault?.path).toBe(path)
    expect(fault?.message).toContain('a.yaml:5: ')
    expect(fault?.message).toContain(message)
  })

  test.each([
    ['{ name: b, type: start, prefetch: 1 }', 'a start node has no prefetch'],
    ['{ name: b, type: robot }', 'found "robot"'],
    ['{ name: b, type: custom, prefetch: 0 }', 'expected at least 1; found 0'],
    ['{ name: b, type: custom, prefetch: 1.5 }', 'expected a whole number'],
    ['{ name: b, type: custom, prefetch: "2" }', 'expected a number'],
    ['{ name: b, type: custom, timeoutMs: 99 }', 'expected at least 100'],
    ['{ name: b, type: custom, timeoutMs: 86400001 }', 'expected at most 86400000'],
    ['{ name: b, type: custom, emit: chunks=0 }', 'expected page, records or chunks=N'],
    ['{ name: b, type: custom, retry: { attempts: 101 } }', 'expected at most 100'],
    ['{ name: b, type: custom, retry: { on: ["status:700"] } }', 'status:5xx'],
    ['{ name: b, type: custom, retry: { on: ["status:200"] } }', 'a status of failure (400 to 599)'],
    ['{ name: b, type: custom, retry: { on: ["status:300-500"] } }', 'a status of failure (400 to 599)'],
    ['{ name: b, type: custom, retry: { on: [] } }', 'say [default] for the usual ones; attempts: 1 never tries again'],
    ['{ name: b, type: custom, onFail: stop }', 'expected skip or block; found "stop"'],
    ['{ name: b, type: custom, retry: 3 }', 'expected an object; found 3'],
    ['{ name: b, type: custom, worker: "" }', 'expected at least 1 character; found ""'],
    ['{ type: custom }', 'is missing: expected a text'],
    ['{ name: b, type: custom, settings: { a: .inf } }', 'not a JSON number'],
    [`{ name: b, type: custom, settings: { a: ${'x'.repeat(3100)} } }`, 'at most 4096 fit in a call'],
    ['{ name: b, type: custom, settings: { __proto__: { a: 1 } } }', '"__proto__" is not allowed'],
    ['{ name: b, type: custom, settings: { a: { constructor: 1 } } }', '"constructor" is not allowed'],
    ['{ name: b, name: c, type: custom }', 'unique'],
    ['{ name: b, type: custom', 'a.yaml'],
    ['{ name: b, type: !!js/function custom }', 'tag'],
    ['*nowhere', 'alias'],
  ])('is found in the node %s', (node, message) => {
    const faults = faultsOf(`name: a\nnodes:\n  - ${node}\n`)
    expect(faults.map((fault) => fault.message).join('\n')).toContain(message)
    expect(faults.every((fault) => fault.message.startsWith('a.yaml'))).toBe(true)
  })

  test.each([
    'orders',
    '//evil.test/x',
    'http://evil.test',
    '/a?b',
    '/a#b',
    '/a/../b',
    '/%2e%2E/b',
    '/a b',
    '/a\\b',
    '/é',
  ])('is a path such as %s', (path) => {
    const { faults } = readDocument(documentOf([custom('a', { path })]))
    expect(faults[0]).toMatchObject({ path: 'nodes[0].path' })
  })

  test('is a second document where one is expected, and none at all', () => {
    expect(faultsOf(`${shape}---\n${shape}`)[0]?.message).toContain('holds 2 documents, expected one')
    for (const text of ['', '# only a comment', '---\n...'])
      expect(faultsOf(text)[0]?.message).toContain('no topology document')
    for (const text of ['7', '[]', '"x"']) expect(faultsOf(text)).toMatchObject([{ path: '' }])
  })
})

test('the largest document is read, however it is laid out', () => {
  const nodes = [
    start,
    ...Array.from({ length: 199 }, (_, index) => custom(`n${index}`, { path: '/p', retry: { on: ['timeout'] } })),
  ]
  const edges = Array.from({ length: 2000 }, (_, index) => `begin>n${index}`)
  const text = JSON.stringify(documentOf(nodes, ...edges), null, 4)
  expect(parseDocument(text, 'a.json').faults).toEqual([])
})

describe('a hostile text', () => {
  const names = Array.from({ length: 10 }, (_, index) => `a${index}`)
  const bombs = names.slice(1).map((name, index) => `${name}: &${name} [${`*a${index}, `.repeat(9)}]`)
  const laughs = ['a0: &a0 [x, x]', ...bombs].join('\n')
  const keys = Array.from({ length: 20_000 }, (_, index) => `k${index}: 1`).join('\n')

  test.each([
    ['made of countless words', '\n'.repeat(1024 * 1024), 'more than 200000 words'],
    ['too large', ' '.repeat(1024 * 1024 + 1), 'larger than 1048576 bytes'],
    ['nested in brackets', '['.repeat(100_000), 'nested deeper than 32'],
    ['nested by dashes', `${'- '.repeat(50_000)}a`, 'nested deeper than 32'],
    ['an alias bomb', laughs, 'alias count'],
    ['an endless alias', 'name: a\nnodes: &n\n  - *n\n', 'a.yaml'],
    ['a map of countless keys', keys, 'more than 1000 entries'],
    ['countless documents', '---\na\n'.repeat(101), 'more than 100 documents'],
    ['text after a NUL', 'name: a\0b: c', 'a.yaml'],
  ])('that is %s is refused without harm', (_, text, why) => {
    expect(parseDocument(text, 'a.yaml').faults[0]?.message).toContain(why)
  })

  test('never makes parsing throw', () => {
    const bits = [
      'name: ',
      '&a ',
      '*a',
      '- ',
      '[',
      '{',
      '"',
      '? ',
      ': ',
      '\n',
      '  ',
      '\t',
      '---\n',
      '<<: ',
      '!!map ',
      '|\n',
      'nodes',
    ]
    const texts = fc.oneof(
      fc.string(),
      fc.json(),
      fc.array(fc.constantFrom(...bits)).map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(texts, (text) => {
        const { document, faults } = parseDocument(text, 'a.yaml')
        expect(document === undefined).toBe(faults.length > 0)
      }),
      { numRuns: 500 },
    )
  })

  test('never makes reading a value throw', () => {
    const values = fc.oneof(
      fc.anything(),
      fc.record({ name: fc.string(), nodes: fc.array(fc.anything()), edges: fc.anything() }),
    )
    fc.assert(fc.property(values, (value) => readDocument(value).faults.length >= 0))
  })
})

test('the JSON Schema describes what people write', () => {
  const schema = documentJsonSchema()
  expect(schema).toMatchObject({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    required: ['name', 'nodes'],
    additionalProperties: false,
  })
  expect(JSON.stringify(schema)).toContain('batch_connector')
})
