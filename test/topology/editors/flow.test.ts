import { expect, test } from 'vitest'
import { drawBpmn, drawJson, readJson } from '../../../runtime/topology/editors/editors.ts'
import { bpmn, flow, put, workers } from './samples.ts'

const node = (more: object) => ({ nodes: [{ id: 'n', type: 'flow', shape: 'rectangle', ...more }], connections: [] })
const connector = (more: object) => node({ action: { name: 'a', worker: 'shop', type: 'connector' }, ...more })

test('a payload of the flow editor becomes a topology', () => {
  const { draft } = put('json', flow)
  expect(draft.nodes).toEqual([
    { name: 'begin', type: 'start' },
    { name: 'nightly', type: 'cron', cron: '0 2 * * *' },
    { name: 'get-orders', type: 'batch', worker: 'shop', service: 'shop' },
    { name: 'store', type: 'connector', worker: 'shop', prefetch: 1 },
  ])
  expect(draft.edges).toEqual([
    { from: 'begin', to: 'get-orders' },
    { from: 'nightly', to: 'get-orders' },
    { from: 'get-orders', to: 'store' },
  ])
})

test('a payload that nothing was changed in comes back as it was, with places, notes and ids', () => {
  const { draft, saved } = put('json', flow)
  expect(drawJson(draft, workers, saved)).toEqual(flow)
})

test('an annotation goes by its noteId where it has no id, and comes back as it was', () => {
  const note = { type: 'annotation', noteId: 'x', text: 'hi', width: 5, height: 5 }
  const noted = { ...flow, nodes: [...flow.nodes, note] }
  const { draft, saved, warnings } = put('json', noted)
  expect(draft.nodes).toHaveLength(4)
  expect(warnings).toEqual(put('json', flow).warnings)
  expect(drawJson(draft, workers, saved)).toEqual(noted)
  const twice = { ...noted, nodes: [...noted.nodes, note] }
  expect(readJson(twice).faults).toEqual([{ path: 'nodes[6].noteId', message: 'the id "x" is taken by nodes[5]' }])
})

test('a node of the draft is drawn also where a note has taken the id that it would get', () => {
  const note = { type: 'annotation', noteId: 'Event_begin', text: 'hi' }
  const { draft, saved } = put('json', { nodes: [note], connections: [] })
  const nodes = [{ name: 'begin', type: 'start' as const }]
  expect(drawJson({ ...draft, nodes }, workers, saved).nodes).toMatchObject([note, { shape: 'circle', name: 'begin' }])
})

test('a breakpoint is one in both kinds of documents, and is reported each time that it is read', () => {
  const text =
    '<bpmn:definitions><bpmn:process><bpmn:task id="t" name="look" pipes:pipesType="user"/></bpmn:process></bpmn:definitions>'
  const first = put('bpmn', text)
  const payload = drawJson(first.draft, workers, first.saved)
  expect(payload.nodes).toMatchObject([{ id: 't', shape: 'hexagon', label: 'Breakpoint', name: 'look', action: null }])
  const second = put('json', payload, { draft: first.draft, names: first.saved.names })
  expect(second.draft).toEqual(first.draft)
  expect(second.warnings.at(0)?.message).toMatch(/^breakpoints \(type user\) are not there/)
  expect(drawBpmn(second.draft, workers, second.saved)).toContain('pipes:pipesType="user"')
  const called = { ...first.draft, nodes: [{ ...first.draft.nodes[0]!, type: 'batch' as const }] }
  expect(drawJson(called, workers, first.saved).nodes).toMatchObject([{ shape: 'rectangle', label: 'Batch' }])
})

test('what changed since is written into the payload, and everything else stays in it', () => {
  const { draft, saved } = put('json', flow)
  const [begin, , orders, store] = draft.nodes
  if (!begin || !orders || !store) throw new Error('no nodes')
  const nodes = [
    begin,
    { ...orders, type: 'custom' as const, service: 'sap' },
    { ...store, prefetch: 8, timeoutMs: 2000, retry: { attempts: 2 } },
    { name: 'hook', type: 'webhook' as const },
  ]
  const after = { ...draft, nodes, edges: [{ from: 'hook', to: 'store' }, ...draft.edges.slice(2)] }
  const payload = drawJson(after, workers, saved)
  expect(payload.nodes).toMatchObject([
    flow.nodes[0],
    { id: 'b1', action: { name: 'get-orders', type: 'custom', worker: 'shop', app: 'sap' } },
    { id: 'n1', action: { icon: 'x' }, prefetch: 8, timeout: 2, repeater: { enabled: true, hops: 2, interval: 1 } },
    { type: 'annotation' },
    { id: 'Event_hook', shape: 'circle', label: 'Webhook', name: 'hook', position: { y: 142 } },
  ])
  expect(payload.connections).toMatchObject([{ from: 'Event_hook', to: 'n1', sourceOutput: 'output' }, { id: 'k3' }])
  const again = put('json', payload, { draft: after, names: saved.names })
  expect(again.draft).toEqual(after)
})

test('a drawing goes from one editor to the other with ids, titles and places', () => {
  const first = put('bpmn', bpmn)
  const payload = drawJson(first.draft, workers, first.saved)
  expect(payload.nodes).toMatchObject([
    { id: 'Event_1', label: 'Cron', name: 'Every Morning', position: { x: 10, y: 20 }, cron: { time: '0 6 * * *' } },
    { id: 'Activity_1', action: { name: 'shop.get-orders', type: 'batch', worker: 'shop', app: 'shop' }, timeout: 90 },
    { id: 'Activity_2', prefetch: 5, repeater: { enabled: true, hops: 4, interval: 30 } },
    { id: 'Activity_3', action: { name: 'store', type: 'custom' }, position: { x: 400, y: 120 } },
  ])
  const second = put('json', payload, { draft: first.draft, names: first.saved.names })
  expect(second.draft).toEqual(first.draft)
  expect(second.warnings).toEqual([])
  const third = put('bpmn', drawBpmn(second.draft, workers, second.saved), {
    draft: first.draft,
    names: second.saved.names,
  })
  expect(third.draft).toEqual(first.draft)
})

test.each([
  [-1, 7, undefined],
  [0, 7, undefined],
  [1, 7, undefined],
  [1, 1, 1],
  [1, null, 1],
  [2, 7, 2],
  [20, 7, 20],
  [undefined, 7, undefined],
])('a prefetch of %j in a payload over a stored %j names %j', (prefetch, stored, named) => {
  const { draft } = put('json', connector({ prefetch }), { prefetch: new Map([['a', stored]]) })
  expect(draft.nodes[0]?.prefetch).toBe(named)
})

test('a prefetch of 1 in BPMN wins over a larger stored one', () => {
  const text =
    '<bpmn:definitions><bpmn:process><bpmn:task id="t" name="a" pipes:rabbitPrefetch="1"/></bpmn:process></bpmn:definitions>'
  expect(put('bpmn', text, { prefetch: new Map([['a', 7]]) }).draft.nodes[0]?.prefetch).toBe(1)
})

test.each([
  [
    { shape: 'circle', label: 'Event', name: 'x' },
    { type: 'start', name: 'x' },
  ],
  [
    { shape: 'circle', label: 'Webhook', action: { app: 'shop', event: 'paid' } },
    { type: 'webhook', name: 'shop-paid' },
  ],
  [
    { shape: 'circle', label: 'Webhook', action: { name: 'shop.paid' } },
    { type: 'webhook', name: 'shop-paid' },
  ],
  [
    { shape: 'hexagon', label: 'Breakpoint' },
    { type: 'custom', name: 'user-task' },
  ],
  [{ action: { name: 'x', worker: 'shop' } }, { type: 'custom', name: 'x', worker: 'shop' }],
  [
    { action: { name: 'x', type: 'batch_connector' }, sdkHost: 'shop:8080' },
    { type: 'batch', worker: 'shop' },
  ],
  [
    { type: 'connector', shape: null, name: 'x', sdk: 'shop', application: 's' },
    { type: 'connector', worker: 'shop', service: 's' },
  ],
])('%j is read as %j', (more, expected) => {
  expect(put('json', node(more)).draft.nodes).toMatchObject([expected])
})

test('what has no counterpart is reported with its path', () => {
  const payload = node({
    action: { name: 'a', worker: 'shop', type: 'mapper', parameters: { a: 1 } },
    timeout: 0,
    colour: 'red',
    property: {},
  })
  const { warnings } = put('json', payload)
  expect(warnings.map(({ path }) => path)).toEqual([
    'nodes[0].action.type',
    'nodes[0].colour',
    'nodes[0].action.parameters',
    'nodes[0]',
  ])
  const twice = { ...flow, connections: [...flow.connections, ...flow.connections.slice(0, 1)] }
  expect(put('json', twice).warnings.at(0)).toMatchObject({ path: 'connections[3]' })
})

test.each<[string, unknown, string]>([
  ['no object', [], ''],
  ['nodes that are missing', { connections: [] }, 'nodes'],
  ['a prefetch over 20', connector({ prefetch: 21 }), 'nodes[0].prefetch'],
  ['a prefetch that is a text', connector({ prefetch: '5' }), 'nodes[0].prefetch'],
  ['a prefetch with a fraction', connector({ prefetch: 1.5 }), 'nodes[0].prefetch'],
  ['a repeater that is half said', connector({ repeater: { hops: 'x' } }), 'nodes[0].repeater.enabled'],
  ['an action that is a text', node({ action: 'store' }), 'nodes[0].action'],
  ['no action', node({ name: 'a' }), 'nodes[0].action'],
  ['a type that nobody knows', connector({ type: 'conector' }), 'nodes[0].type'],
  ['an end event', node({ shape: 'circle', label: 'End Event', name: 'x' }), 'nodes[0].label'],
  ['no id', { nodes: [{ shape: 'circle', name: 'x', noteId: 'x' }] }, 'nodes[0].id'],
  ['a note without noteId', { nodes: [{ type: 'annotation', prefetch: 'x' }] }, 'nodes[0].id'],
  ['no name', node({ shape: 'circle', label: 'Event' }), 'nodes[0].name'],
  ['an id that is there twice', { nodes: [...flow.nodes, flow.nodes[0]] }, 'nodes[5].id'],
  ['a connection to nowhere', { nodes: [], connections: [{ from: 'a', to: 'b' }] }, 'connections[0].from'],
  ['a note that is connected', { ...flow, connections: [{ from: 'e1', to: 'a1' }] }, 'connections[0].to'],
  ['a prototype', JSON.parse('{"nodes":[],"x":{"__proto__":1}}'), 'x.__proto__'],
  ['too many nodes', { nodes: Array.from({ length: 201 }, (_, n) => ({ ...flow.nodes[0], id: `${n}` })) }, 'nodes'],
  ['too large', { nodes: [], text: 'x'.repeat(1024 * 1024) }, ''],
])('a payload with %s is refused with its place', (_, payload, path) => {
  const { faults } = readJson(payload)
  expect(faults.map((fault) => fault.path)).toContain(path)
})
