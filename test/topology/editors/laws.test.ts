import fc from 'fast-check'
import { expect, test } from 'vitest'
import { drawBpmn, drawJson, readBpmn, readJson } from '../../../runtime/topology/editors/editors.ts'
import type { DocumentNode, TopologyDocument } from '../../../runtime/topology/schema.ts'
import { put, workers } from './samples.ts'

const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })
const text = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }).filter((value) => value.trim() !== '')

const workerNode = fc.record({
  type: fc.constantFrom('connector', 'custom', 'batch'),
  worker: optional(fc.constantFrom('shop', 'warehouse', 'gone')),
  uses: optional(fc.oneof(fc.constantFrom('same', 'n1'), text)),
  service: optional(text),
  limitCost: optional(fc.integer({ min: 1, max: 10_000 })),
  prefetch: optional(fc.integer({ min: 1, max: 20 })),
  timeoutMs: optional(fc.integer({ min: 100, max: 86_400_000 })),
  retry: optional(
    fc.record(
      { attempts: fc.integer({ min: 1, max: 100 }), baseMs: fc.integer({ min: 1, max: 3_600_000 }) },
      { requiredKeys: [] },
    ),
  ),
  settings: optional(fc.constant({ a: { b: 1 } })),
  onFail: optional(fc.constant('block')),
})
const eventNode = fc.oneof(
  fc.record({ type: fc.constant('start'), enabled: optional(fc.boolean()) }),
  fc.record({
    type: fc.constant('cron'),
    cron: optional(fc.constant('0 6 * * mon')),
    timezone: optional(fc.constant('UTC')),
  }),
)

const defined = (value: object) => Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined))

const drafts = fc
  .tuple(
    fc.array(fc.oneof(workerNode, eventNode), { maxLength: 6 }),
    fc.uniqueArray(fc.tuple(fc.nat(6), fc.nat(6)), { maxLength: 8, selector: String }),
  )
  .map(([nodes, edges]): TopologyDocument => ({
    name: 'orders',
    nodes: nodes.map((node, n) => ({ name: `n${n}`, ...defined(node) }) as DocumentNode),
    edges: edges.map(([from, to]) => ({ from: `n${from}`, to: `n${to}` })),
  }))

/** Node values that a document leaves out stay as they are stored; older editors leave out a policy of defaults only. */
function filled(document: TopologyDocument, from: TopologyDocument): TopologyDocument {
  const stored = new Map(from.nodes.map(({ name, retry }) => [name, retry]))
  const nodes = document.nodes.map((node) => ({ ...defined({ retry: stored.get(node.name) }), ...node }))
  const names = new Set(nodes.map(({ name }) => name))
  // Edges to nowhere can't be drawn: they come last.
  const isDrawn = ({ from, to }: { from: string; to: string }) => names.has(from) && names.has(to)
  const edges = [...document.edges.filter(isDrawn), ...document.edges.filter((edge) => !isDrawn(edge))]
  return { ...document, nodes, edges }
}

test('a draft that is given to an older editor and put back unchanged is the same', () => {
  fc.assert(
    fc.property(drafts, fc.constantFrom('bpmn' as const, 'json' as const), (draft, kind) => {
      const before = { draft, prefetch: new Map(draft.nodes.map(({ name, prefetch = null }) => [name, prefetch])) }
      const draw = kind === 'bpmn' ? drawBpmn : drawJson
      const once = put(kind, draw(draft, workers, null), before)
      expect(filled(once.draft, draft)).toEqual(filled(draft, draft))
      const twice = put(kind, draw(draft, workers, once.saved), { ...before, names: once.saved.names })
      expect(filled(twice.draft, draft)).toEqual(filled(draft, draft))
      expect(draw(draft, workers, twice.saved)).toEqual(draw(draft, workers, once.saved))
    }),
    { numRuns: 150 },
  )
})

test('no text makes the readers throw', () => {
  const pieces = fc.constantFrom(
    '<bpmn:definitions>',
    '<bpmn:process>',
    '<bpmn:task id="a"',
    '/>',
    '"',
    '&',
    '<!--',
    ']]>',
    '\0',
    '</x>',
  )
  fc.assert(
    fc.property(fc.array(fc.oneof(pieces, fc.string()), { maxLength: 20 }), (parts) => {
      expect(readBpmn(parts.join('')).faults.length).toBeGreaterThan(0)
    }),
  )
  fc.assert(fc.property(fc.jsonValue(), (value) => Array.isArray(readJson(value).faults)))
})
