import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { TopologyDocument } from '../../runtime/client/index.ts'
import { readSchema } from '../../console/src/pages/editor/schema/schema.ts'
import {
  adding,
  canConnect,
  connecting,
  freeName,
  removingNode,
  renaming,
  setting,
} from '../../console/src/pages/editor/state/edits.ts'
import { documentOf, graphOf, newKey } from '../../console/src/pages/editor/state/graph.ts'
import { drawingsOf } from '../../console/src/pages/editor/state/drawings.ts'
import { labelsOf, saySame, textOfLabels } from '../../console/src/pages/editor/state/labels.ts'
import { toSave } from '../../console/src/pages/editor/state/kept.ts'
import { isPlainKey, valueAt, withValueAt } from '../../console/src/pages/editor/state/path.ts'
import { isChanged, openState, reduce } from '../../console/src/pages/editor/state/state.ts'
import type { Action, EditorState } from '../../console/src/pages/editor/state/state.ts'

const names = fc.constantFrom('begin', 'list', 'store', 'x')
const nodes = fc.array(fc.record({ name: names, type: fc.constant('custom' as const), worker: fc.constant('w') }), {
  maxLength: 5,
})
const edges = fc.array(fc.record({ from: names, to: names }), { maxLength: 6 })
const documents: fc.Arbitrary<TopologyDocument> = fc.record({ name: names, nodes, edges })

test('a document comes back from the editor as it went in, also one with names that are there twice or not at all', () => {
  fc.assert(
    fc.property(documents, (document) => {
      expect(documentOf(graphOf(document))).toEqual(document)
      expect(isChanged(openState(document))).toBe(false)
    }),
  )
})

/** What somebody might do next; nodes by their place. */
const deeds = fc.array(
  fc.oneof(
    fc.record({ what: fc.constant('add' as const), name: names }),
    fc.record({ what: fc.constantFrom('remove' as const, 'rename' as const, 'set' as const), at: fc.nat(6) }),
    fc.record({ what: fc.constant('connect' as const), from: fc.nat(6), to: fc.nat(6) }),
  ),
  { maxLength: 20 },
)
type Deed = typeof deeds extends fc.Arbitrary<(infer D)[]> ? D : never

function actionOf({ graph }: EditorState, deed: Deed): Action | null {
  const key = (at: number): string | undefined => graph.nodes[at % Math.max(1, graph.nodes.length)]?.key
  if (deed.what === 'add') {
    const values = { name: freeName(graph, deed.name), type: 'custom' as const }
    return { kind: 'edit', edit: adding({ key: newKey(), values }, []) }
  }
  if (deed.what === 'connect') {
    const [from, to] = [key(deed.from), key(deed.to)]
    if (from === undefined || to === undefined || !canConnect(graph, from, to)) return null
    return { kind: 'edit', edit: connecting({ key: newKey(), from, to }) }
  }
  const own = key(deed.at)
  if (own === undefined) return null
  const edits = {
    remove: removingNode(own),
    rename: renaming(own, freeName(graph, 'other'), true),
    set: setting(own, 'retry.attempts', 3),
  }
  return { kind: 'edit', edit: edits[deed.what] }
}

test('whatever was done, undo leads back to the beginning, and redo to the end; no edge has an end that nobody knows', () => {
  fc.assert(
    fc.property(documents, deeds, (document, all) => {
      const first = openState(document)
      let state = first
      for (const deed of all) {
        const action = actionOf(state, deed)
        if (action !== null) state = reduce(state, action)
      }
      const last = documentOf(state.graph)
      const steps = state.past.length
      const ends = last.edges.flatMap(({ from, to }) => [from, to])
      const known = new Set([...last.nodes, ...document.nodes].map(({ name }) => name))
      const dangling = new Set(document.edges.flatMap(({ from, to }) => [from, to]))
      expect(ends.filter((end) => !known.has(end) && !dangling.has(end))).toEqual([])
      for (let i = 0; i < steps; i++) state = reduce(state, { kind: 'undo' })
      expect(documentOf(state.graph)).toEqual(document)
      for (let i = 0; i < steps; i++) state = reduce(state, { kind: 'redo' })
      expect(documentOf(state.graph)).toEqual(last)
    }),
  )
})

test('what is typed in one field is one step, and what can’t be read is taken back first', () => {
  const document: TopologyDocument = { name: 'a', nodes: [{ name: 'n', type: 'custom' }], edges: [] }
  const opened = openState(document)
  const key = opened.graph.nodes[0]?.key ?? ''
  const type = (state: EditorState, text: string): EditorState =>
    reduce(state, { kind: 'edit', edit: setting(key, 'worker', text), field: `${key} worker` })
  const typed = ['s', 'sh', 'shop'].reduce(type, opened)
  expect(typed.past).toHaveLength(1)
  const unread = reduce(typed, { kind: 'unread', field: `${key} settings`, text: '{' })
  const once = reduce(unread, { kind: 'undo' })
  expect([once.unread, once.graph]).toEqual([{}, typed.graph])
  expect(documentOf(reduce(once, { kind: 'undo' }).graph)).toEqual(document)
  const removed = reduce(unread, { kind: 'edit', edit: removingNode(key) })
  expect(removed.unread).toEqual({})
})

test('each text that can’t be read is a step of its own: undo takes back the newest only, and redo brings it back', () => {
  const opened = openState({ name: 'a', nodes: [{ name: 'n', type: 'custom' }], edges: [] })
  const key = opened.graph.nodes[0]?.key ?? ''
  const [one, other] = [`${key} settings.a`, `${key} settings.b`]
  const type = (state: EditorState, field: string, text: string | null): EditorState =>
    reduce(state, { kind: 'unread', field, text })
  const both = type(type(type(opened, one, '{'), one, '{"'), other, '[')
  expect([both.past.length, both.unread]).toEqual([2, { [one]: '{"', [other]: '[' }])
  const once = reduce(both, { kind: 'undo' })
  expect(once.unread).toEqual({ [one]: '{"' })
  expect(reduce(once, { kind: 'redo' }).unread).toEqual(both.unread)
  // What was mended is broken again after undo, and whatever is forgotten on leaving a field is no step.
  const mended = reduce(once, { kind: 'edit', edit: setting(key, 'settings.a', {}), field: one })
  const settled = type(mended, one, null)
  expect([settled.unread, settled.past.length]).toEqual([{}, 2])
  expect(reduce(settled, { kind: 'undo' }).unread).toEqual({ [one]: '{"' })
})

test('a drawing is kept for whoever drew it until it says what is saved, or is given up', () => {
  const saved = openState({ name: 'a', nodes: [], edges: [] })
  const edit = adding({ key: newKey(), values: { name: 'n', type: 'start' } }, [])
  const drawing = { state: reduce(saved, { kind: 'edit', edit }), etag: '"1"' }
  const [topology, mine, others] = [newKey(), drawingsOf('mine'), drawingsOf(null)]
  mine.keep(topology, drawing)
  expect([drawingsOf('mine').find(topology), others.find(topology)]).toEqual([drawing, null])
  mine.keep(topology, { state: saved, etag: '"2"' })
  expect(mine.find(topology)).toBe(null)
  mine.keep(topology, drawing)
  mine.forget(topology)
  expect(mine.find(topology)).toBe(null)
})

test('labels come back from their lines as they went in, in whichever order', () => {
  const word = fc.stringMatching(/^[a-z]{1,6}$/)
  fc.assert(
    fc.property(fc.dictionary(word, fc.stringMatching(/^[a-z=]{0,6}$/), { noNullPrototype: true }), (labels) => {
      expect(labelsOf(textOfLabels(labels))).toEqual(labels)
      expect(saySame(labels, Object.fromEntries(Object.entries(labels).toReversed()))).toBe(true)
    }),
  )
  expect(labelsOf(' team = shop \n\nlone')).toEqual({ team: 'shop', lone: '' })
  expect(saySame({ a: '1' }, { b: '1' })).toBe(false)
})

test('a path names whatever has a plain name, and nothing else', () => {
  const keys = fc.oneof(fc.string(), fc.constantFrom('a.b', 'a[0]', '', '0', 'a b'))
  fc.assert(
    fc.property(keys, (key) => {
      fc.pre(!Object.hasOwn(Object.prototype, key))
      const isThere = valueAt({ settings: { [key]: 1 } }, `settings.${key}`) === 1
      expect(isThere).toBe(isPlainKey(key))
    }),
  )
})

test('what the engine answers to a save is taken over, unless somebody has gone on editing', () => {
  const state = openState({ name: 'a', nodes: [], edges: [] })
  const filled: TopologyDocument = { name: 'a', description: 'filled in', nodes: [], edges: [] }
  const stored = reduce(state, { kind: 'saved', document: filled, of: state.graph })
  expect([documentOf(stored.graph), isChanged(stored)]).toEqual([filled, false])
  const edit = adding({ key: newKey(), values: { name: 'n', type: 'start' } }, [])
  const late = reduce(reduce(state, { kind: 'edit', edit }), { kind: 'saved', document: filled, of: state.graph })
  expect([late.graph.nodes.length, documentOf(late.saved), isChanged(late)]).toEqual([1, filled, true])
})

test('a node that is renamed keeps its edges, and does the same at its worker', () => {
  const document: TopologyDocument = {
    name: 'a',
    nodes: [
      { name: 'begin', type: 'start' },
      { name: 'store', type: 'connector', worker: 'shop' },
    ],
    edges: [{ from: 'begin', to: 'store' }],
  }
  const graph = graphOf(document)
  const key = graph.nodes[1]?.key ?? ''
  const renamed = renaming(key, 'store-eu', true)(graph)
  expect(documentOf(renamed)).toEqual({
    name: 'a',
    nodes: [document.nodes[0], { name: 'store-eu', type: 'connector', worker: 'shop', uses: 'store' }],
    edges: [{ from: 'begin', to: 'store-eu' }],
  })
  expect(documentOf(renaming(key, 'store', true)(renamed))).toEqual(document)
})

test('what was taken away of values that the engine would keep is saved as what holds without it', () => {
  const defaults = { prefetch: 5, timeoutMs: 30_000, inPlaceMaxMs: 120_000, onFail: 'skip' as const }
  const saved = graphOf({
    name: 'a',
    nodes: [
      { name: 'every', type: 'cron', cron: '@daily', timezone: 'Europe/Prague' },
      { name: 'store', type: 'connector', prefetch: 9, retry: { attempts: 2 }, timeoutMs: 500 },
    ],
    edges: [],
  })
  const bare: TopologyDocument = {
    name: 'a',
    nodes: [
      { name: 'every', type: 'cron', cron: '@daily' },
      { name: 'store', type: 'connector', timeoutMs: 700 },
    ],
    edges: [],
  }
  expect(toSave(saved, graphOf(bare, saved), () => defaults).nodes).toEqual([
    { name: 'every', type: 'cron', cron: '@daily', timezone: 'UTC' },
    { name: 'store', type: 'connector', timeoutMs: 700, prefetch: 5, retry: {} },
  ])
  expect(toSave(graphOf({ name: 'a', nodes: [], edges: [] }), graphOf(bare), () => defaults)).toEqual(bare)
})

test('a value that is set at a path is there, and taken away again it leaves the rest', () => {
  const paths = fc.constantFrom('a', 'a.b', 'a.b.c', 'd.e')
  fc.assert(
    fc.property(paths, fc.jsonValue(), (path, value) => {
      const before = { a: { x: 1 }, d: { y: 2 } }
      const after = withValueAt(before, path, value)
      expect(valueAt(after, path)).toEqual(value)
      expect(valueAt(withValueAt(after, path, undefined), path)).toBe(undefined)
      if (path !== 'a') expect(valueAt(after, 'a.x')).toBe(1)
      expect(valueAt(after, 'd.y')).toBe(2)
    }),
  )
})

test.each([
  [{ type: 'string' }, 'text'],
  [{ type: ['string', 'null'] }, 'text'],
  [{ anyOf: [{ type: 'integer' }, { type: 'null' }] }, 'integer'],
  [{ enum: ['a', 1] }, 'choice'],
  [{ oneOf: [{ const: 'a' }, { const: 'b' }] }, 'choice'],
  [{ type: 'array', items: { type: 'string' } }, 'texts'],
  [{ type: 'array', items: { type: 'number' } }, 'numbers'],
  [{ type: 'array', items: { type: 'object' } }, 'json'],
  [{ type: 'object', additionalProperties: { type: 'string' } }, 'json'],
  [{ type: 'object', properties: { a: { type: 'boolean' } } }, 'object'],
  [{ $ref: '#/$defs/one', $defs: { one: { type: 'number' } } }, 'number'],
  [{ $ref: 'https://example.com/one' }, 'json'],
  [true, 'json'],
  [{ anyOf: [{ type: 'string' }, { type: 'number' }] }, 'json'],
])('of the schema %j is made a field of the kind %s', (schema, kind) => {
  expect(readSchema(schema).kind).toBe(kind)
})

test('a schema that contains itself ends as JSON, and what has to be there comes first', () => {
  const tree = {
    $ref: '#/$defs/tree',
    $defs: { tree: { type: 'object', properties: { next: { $ref: '#/$defs/tree' } } } },
  }
  expect(JSON.stringify(readSchema(tree))).toContain('"json"')
  const { fields } = readSchema({ type: 'object', required: ['z'], properties: { b: {}, a: {}, z: {} } })
  expect(fields.map(({ name }) => name)).toEqual(['z', 'a', 'b'])
})
