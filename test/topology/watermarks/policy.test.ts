import { expect, test } from 'vitest'
import { checkDocument } from '../../../runtime/topology/check.ts'
import { compilePlan } from '../../../runtime/topology/compile.ts'
import { readDocument } from '../../../runtime/topology/document.ts'
import type { TopologyDocument } from '../../../runtime/topology/schema.ts'
import { didYouMean } from '../../../runtime/topology/suggest.ts'

const document = (watermark: unknown, more: Record<string, unknown> = {}, start: Record<string, unknown> = {}) => ({
  name: 'shop',
  nodes: [
    { name: 'begin', type: 'start', ...start },
    { name: 'list', type: 'batch', worker: 'w', watermark, ...more },
  ],
  edges: [{ from: 'begin', to: 'list' }],
})

const faults = (value: unknown) => readDocument(value).faults.map(({ path, message }) => `${path}: ${message}`)

function planOf(value: unknown) {
  const { document: read } = readDocument(value)
  const nodeIds = new Map(['begin', 'list'].map((name) => [name, name]))
  return compilePlan({
    topologyId: 't',
    revision: 1,
    document: read as TopologyDocument,
    nodeIds,
    stored: new Map(),
  }).nodes
}

test('a batch node that says watermark has it with every field in its plan, any other has none', () => {
  const [, list] = planOf(document({ lookBackMs: 60_000 }))
  expect(list).toMatchObject({ watermark: { commit: 'drained', lookBackMs: 60_000, lookBackBy: null, initial: null } })
  expect(planOf(document(undefined))[1]).not.toHaveProperty('watermark')
})

test('an event node that says reconcile has it in its plan', () => {
  expect(planOf(document({}, {}, { reconcile: true }))[0]).toMatchObject({ reconcile: true })
  expect(planOf(document({}))[0]).not.toHaveProperty('reconcile')
})

test.each<[string, unknown, string]>([
  ['two look-backs', { lookBackMs: 1, lookBackBy: 1 }, 'nodes[1].watermark.lookBackBy'],
  ['a look-back of times with a number to begin with', { lookBackMs: 1, initial: '7' }, 'nodes[1].watermark.initial'],
  [
    'a look-back of numbers with a time',
    { lookBackBy: 1, initial: '2026-01-01T00:00:00Z' },
    'nodes[1].watermark.initial',
  ],
  ['a look-back of nothing', { lookBackMs: 0 }, 'nodes[1].watermark.lookBackMs'],
  ['an unknown moment', { commit: 'later' }, 'nodes[1].watermark.commit'],
  ['a text that no header takes', { initial: 'a\nb' }, 'nodes[1].watermark.initial'],
  ['an empty text', { initial: '' }, 'nodes[1].watermark.initial'],
  ['a text that is too long', { initial: 'x'.repeat(1025) }, 'nodes[1].watermark.initial'],
  ['a list', [], 'nodes[1].watermark'],
])('a watermark with %s is refused when it is saved', (_, watermark, path) => {
  expect(faults(document(watermark))).toEqual([expect.stringContaining(`${path}: `)])
})

test('a word of which no letter stays is no suggestion', () => {
  expect(didYouMean('geo', ['e', 'abc', 'ge'])).toBe(' (did you mean "ge"?)')
  expect(didYouMean('geo', ['e', 'abc'])).toBe('')
})

test('a key that is nearly right gets a suggestion', () => {
  expect(faults(document({ lookbackMs: 1 }))).toEqual([expect.stringMatching(/lookbackMs.*lookBackMs/)])
})

test('only batch nodes have watermarks, and only event nodes say what their runs are for', () => {
  const messages = (value: unknown) =>
    checkDocument(readDocument(value).document as TopologyDocument, {}).map(({ path }) => path)
  expect(messages(document({}, { type: 'custom' }))).toEqual(['nodes[1].watermark'])
  expect(messages(document({}, { reconcile: true }))).toEqual(['nodes[1].reconcile'])
  expect(messages(document({}, {}, { watermark: {} }))).toEqual(['nodes[0].watermark'])
})
