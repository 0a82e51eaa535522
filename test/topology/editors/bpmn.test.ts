import { expect, test } from 'vitest'
import { drawBpmn, readBpmn } from '../../../runtime/topology/editors/editors.ts'
import { bpmn, put, workers } from './samples.ts'

const process = (inside: string, root = 'bpmn:definitions') =>
  `<${root} xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:pipes="http://www.omg.org/spec/Pipes/20100524/MODEL"><bpmn:process id="p">${inside}</bpmn:process></${root}>`

const task = (more: string, inside = '') => process(`<bpmn:task id="t" name="a" ${more}>${inside}</bpmn:task>`)

test('a BPMN document becomes a topology: types, workers by address, application, schedule, prefetch, time-out, repeater', () => {
  const { draft, warnings } = put('bpmn', bpmn)
  expect(draft.nodes).toEqual([
    { name: 'every-morning', type: 'cron', cron: '0 6 * * *' },
    {
      name: 'shop-get-orders',
      type: 'batch',
      worker: 'shop',
      uses: 'shop.get-orders',
      service: 'shop',
      timeoutMs: 90_000,
    },
    {
      name: 'store',
      type: 'connector',
      worker: 'warehouse',
      prefetch: 5,
      retry: { attempts: 4, backoff: 'fixed', baseMs: 30_000 },
    },
    { name: 'store-2', type: 'custom', worker: 'shop', uses: 'store' },
  ])
  expect(draft.edges).toEqual([
    { from: 'every-morning', to: 'shop-get-orders' },
    { from: 'shop-get-orders', to: 'store' },
    { from: 'shop-get-orders', to: 'store-2' },
  ])
  expect(warnings.map(({ message }) => message)).toEqual([expect.stringContaining('is named every-morning here')])
})

test('a document that nothing was changed in comes back byte by byte', () => {
  const { draft, saved } = put('bpmn', bpmn)
  expect(drawBpmn(draft, workers, saved)).toBe(bpmn)
})

test('what changed since is written into the document, and everything else stays in it', () => {
  const { draft, saved } = put('bpmn', bpmn)
  const [cron, orders, store] = draft.nodes
  if (!cron || !orders || !store) throw new Error('no nodes')
  const nodes = [
    { ...cron, cron: '0 7 * * *' },
    orders,
    { ...store, prefetch: 9 },
    { name: 'new', type: 'custom' as const },
  ]
  const edges = [draft.edges[0], draft.edges[1], { from: 'store', to: 'new' }].filter((edge) => edge !== undefined)
  const text = drawBpmn({ ...draft, nodes, edges }, workers, saved)
  expect(text).toContain('pipes:cronTime="0 7 * * *"')
  expect(text).toContain('pipes:sdkHost="warehouse:443" pipes:rabbitPrefetch="9"')
  expect(text).toContain('<bpmn:task id="Activity_new" name="new" pipes:pipesType="custom">')
  expect(text).toContain('<bpmndi:BPMNShape id="Activity_new_di" bpmnElement="Activity_new">')
  expect(text).toContain('<!-- where the nodes lie -->')
  expect(text).not.toMatch(/Activity_3|Flow_3/)
  expect(text).toContain('<bpmndi:BPMNEdge id="Flow_4_di" bpmnElement="Flow_4">')
  expect(put('bpmn', text, { draft: { ...draft, nodes, edges }, names: saved.names }).draft).toEqual({
    ...draft,
    nodes,
    edges,
  })
})

test('what has no counterpart is reported with its line, and is kept in the document', () => {
  const text = process(`
    <bpmn:startEvent id="s" name="Begin" pipes:rabbitPrefetch="3" pipes:cronParams="a=1"/>
    <bpmn:task id="t" name="a" pipes:bridgeHost="b:1" color="red"><bpmn:documentation>why</bpmn:documentation></bpmn:task>
    <bpmn:task id="u" name="user-task" pipes:pipesType="user"/>
    <bpmn:task id="r" name="r" pipes:sdkHostName="new" pipes:repeaterEnabled="true" pipes:repeaterHops="500" pipes:repeaterInterval="9000"/>
    <bpmn:textAnnotation id="n"/>`)
  const { draft, warnings, saved } = put('bpmn', text)
  const places = warnings.map(({ path }) => path)
  expect(places).toEqual(
    expect.arrayContaining([
      'bpmn:startEvent[s]',
      'bpmn:startEvent[s]/@pipes:cronParams',
      'bpmn:task[t]/@pipes:bridgeHost',
      'bpmn:task[t]/@color',
      'bpmn:task[t]/bpmn:documentation',
      'bpmn:task[u]/@pipes:pipesType',
      'bpmn:task[r]',
      'bpmn:textAnnotation[n]',
    ]),
  )
  expect(warnings.find(({ path }) => path === 'bpmn:task[t]/@color')?.message).toMatch(
    /^schema\.bpmn:3: has no counterpart/,
  )
  expect(draft.nodes[3]).toMatchObject({ worker: 'new', retry: { attempts: 100, baseMs: 3_600_000, maxMs: 3_600_000 } })
  const again = drawBpmn(draft, workers, saved)
  for (const kept of [
    'color="red"',
    '>why<',
    'pipesType="user"',
    'repeaterHops="500"',
    'rabbitPrefetch="3"',
    'textAnnotation',
  ])
    expect(again).toContain(kept)
})

test.each<[string, string, string, RegExp | null]>([
  ['bpmn:startEvent', '', 'start', null],
  ['bpmn:event', '', 'start', null],
  ['bpmn:task', '', 'custom', null],
  ['bpmn:gateway', '', 'custom', /type gateway are not there/],
  ['bpmn:exclusiveGateway', '', 'custom', /type gateway are not there/],
  ['bpmn:endEvent', 'custom', 'custom', null],
  ...(['connector', 'batch', 'custom', 'start', 'cron', 'webhook'] as const).map(
    (type): [string, string, string, null] => ['bpmn:task', type, type, null],
  ),
  ['bpmn:task', 'batch_connector', 'batch', null],
  ...(['gateway', 'debug', 'signal', 'xml_parser', 'table_parser', 'mapper', 'splitter'] as const).map(
    (type): [string, string, string, RegExp] => ['bpmn:task', type, 'custom', new RegExp(`type ${type} are not there`)],
  ),
  ['bpmn:task', 'user', 'custom', /breakpoints \(type user\) are not there/],
])('%s of the type "%s" becomes a %s node, and is reported if it was something else', (element, word, type, said) => {
  const attribute = word === '' ? '' : `pipes:pipesType="${word}"`
  const reading = readBpmn(process(`<${element} id="e" name="it" ${attribute}/>`))
  expect([reading.faults, reading.drawing.nodes.map((node) => node.type)]).toEqual([[], [type]])
  const reports = reading.warnings.filter(({ path }) => path === `${element}[e]/@pipes:pipesType`)
  expect(reports.map(({ message }) => message)).toEqual(said === null ? [] : [expect.stringMatching(said) as string])
})

test.each(['bpmn:subProcess', 'bpmn:userTask', 'bpmn:parallelGateway', 'bpmn:intermediateCatchEvent', 'bpmn:laneSet'])(
  '%s is reported, and so is what leads to it',
  (element) => {
    const flow = '<bpmn:sequenceFlow id="f" sourceRef="s" targetRef="e"/>'
    const text = process(`<bpmn:startEvent id="s" name="s"/>\n<${element} id="e"/>\n${flow}`)
    const { warnings, faults } = readBpmn(text)
    expect(warnings.map(({ path }) => path)).toEqual([`${element}[e]`])
    expect(faults).toMatchObject([
      { message: expect.stringContaining(`"e" is a ${element}, which isn't read`) as string },
    ])
  },
)

test('an end event without a type is a fault that says what to do', () => {
  const { faults } = readBpmn(process('<bpmn:endEvent id="e" name="end"/>'))
  expect(faults).toMatchObject([{ message: expect.stringContaining('a run ends where nothing follows') as string }])
})

test('the condition and the name of a flow are reported: messages go along all flows here', () => {
  const { warnings } = readBpmn(
    process(`<bpmn:startEvent id="s" name="s"/><bpmn:task id="t" name="t"/>
    <bpmn:sequenceFlow id="f" name="if paid" sourceRef="s" targetRef="t"><bpmn:conditionExpression>x</bpmn:conditionExpression></bpmn:sequenceFlow>`),
  )
  expect(warnings.map(({ path }) => path)).toEqual([
    'bpmn:sequenceFlow[f]/@name',
    'bpmn:sequenceFlow[f]/bpmn:conditionExpression',
  ])
})

test('what BPMN has no words for stays as it is in the draft', () => {
  const node = {
    name: 'norm',
    type: 'batch' as const,
    worker: 'shop',
    uses: 'normalise',
    path: '/x',
    timeoutMs: 1500,
    retry: { attempts: 3, on: ['timeout'] },
    onFail: 'block' as const,
    settings: { a: 1 },
    emit: 'records',
    maxPages: 7,
    inPlaceMaxMs: 5000,
  }
  const draft = {
    name: 'orders',
    description: 'all',
    labels: { a: 'b' },
    nodes: [{ name: 'begin', type: 'start' as const, enabled: false }, node],
    edges: [
      { from: 'begin', to: 'norm' },
      { from: 'norm', to: 'gone' },
    ],
  }
  const text = drawBpmn(draft, workers, null)
  expect(text).toContain('name="normalise"')
  expect(put('bpmn', text, { draft }).draft).toEqual(draft)
})

test('a node keeps its name when another of the same title is taken out before it', () => {
  const { draft, saved } = put('bpmn', bpmn)
  const without = bpmn
    .replace(/<bpmn:task id="Activity_2"[^]*?<\/bpmn:task>/, '')
    .replace(/<bpmn:sequenceFlow id="Flow_2"[^>]*>/, '')
  const after = put('bpmn', without, { draft, names: saved.names })
  expect(after.draft.nodes.map(({ name }) => name)).toEqual(['every-morning', 'shop-get-orders', 'store-2'])
  expect(after.warnings).toEqual([])
})

test('prefixes may be others, or none, or not declared', () => {
  const inside = '<task id="t" name="a" q:pipesType="batch" q:rabbitPrefetch="4"/>'
  const plain = `<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:q="http://www.omg.org/spec/Pipes/20100524/MODEL"><process>${inside}</process></definitions>`
  const { draft, saved } = put('bpmn', plain)
  expect(draft.nodes).toMatchObject([{ type: 'batch', prefetch: 4 }])
  const more = { ...draft, nodes: [...draft.nodes, { name: 'b', type: 'custom' as const }] }
  expect(drawBpmn(more, workers, saved)).toContain('<task id="Activity_b" name="b" q:pipesType="custom"/>')
  const undeclared =
    '<bpmn:definitions><bpmn:process><bpmn:task id="t" name="a" pipes:rabbitPrefetch="4"/></bpmn:process></bpmn:definitions>'
  expect(put('bpmn', undeclared).draft.nodes).toMatchObject([{ type: 'custom', prefetch: 4 }])
})

test.each<[string, string, RegExp]>([
  ['nothing', '', /document must contain a root element/],
  ['no XML', 'name: orders', /text data outside of root node/],
  ['XML that ends early', process('<bpmn:task id="t"').slice(0, 200), /schema\.bpmn:1:.*/],
  ['an attribute that is there twice', task('x="1" x="2"'), /duplicate attribute: x/],
  ['entities that multiply', `<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>${task('')}`, /<!DOCTYPE …>/],
  ['a file of the server', `<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]>${task('')}`, /<!DOCTYPE …>/],
  ['an entity that nobody declared', task('', '&passwd;'), /undefined entity/],
  ['a style sheet', `<?xml-stylesheet href="http://x"?>${task('')}`, /<\?xml-stylesheet\?> is not taken/],
  ['elements in elements in elements', '<a>'.repeat(50_000), /nested deeper than 32/],
  ['many elements', process('<bpmn:x/>'.repeat(30_000)), /more than 20000 elements/],
  [
    'many attributes',
    task(Array.from({ length: 300 }, (_, n) => `a${n}=""`).join(' ')),
    /task has more than 200 attributes/,
  ],
  ['many nodes', process('<bpmn:task/>'.repeat(201)), /201 nodes; at most 200/],
  ['megabytes', process(' '.repeat(1024 * 1024)), /larger than 1048576 bytes/],
  ['another format', '<svg xmlns="http://www.w3.org/2000/svg"/>', /expected bpmn:definitions; found svg/],
  ['no process', process('').replaceAll('bpmn:process', 'bpmn:collaboration'), /expected one bpmn:process/],
])('a document that is %s is refused with a reason', (_, text, why) => {
  const { faults, drawing } = readBpmn(text)
  expect(faults[0]?.message).toMatch(why)
  expect(faults.length).toBeLessThanOrEqual(200)
  expect(drawing.nodes.length).toBeLessThanOrEqual(200)
})

test('every fault is named with its place and its line', () => {
  const text = process(`
    <bpmn:task id="a" name="" pipes:rabbitPrefetch="21"/>
    <bpmn:task id="a" name="x" pipes:rabbitPrefetch="0"/>
    <bpmn:task name="x" pipes:rabbitPrefetch="many"/>
    <bpmn:task id="b" name="x" pipes:pipesType="conector" pipes:timeout="-1" pipes:repeaterEnabled="yes"/>
    <bpmn:endEvent id="e" name="x"/>
    <bpmn:userTask id="u"/>
    <bpmn:sequenceFlow id="f" sourceRef="b" targetRef="nowhere"/>
    <bpmn:sequenceFlow id="g" sourceRef="u"/>`)
  const { faults } = readBpmn(text)
  expect(faults.map(({ path }) => path)).toEqual([
    'bpmn:task[a]/@id',
    'bpmn:task/@id',
    'bpmn:task[a]/@name',
    'bpmn:task[a]/@pipes:rabbitPrefetch',
    'bpmn:task[a]/@pipes:rabbitPrefetch',
    'bpmn:task/@pipes:rabbitPrefetch',
    'bpmn:task[b]/@pipes:pipesType',
    'bpmn:task[b]/@pipes:timeout',
    'bpmn:task[b]/@pipes:repeaterEnabled',
    'bpmn:endEvent[e]/@pipes:pipesType',
    'bpmn:sequenceFlow[f]/@targetRef',
    'bpmn:sequenceFlow[g]/@sourceRef',
    'bpmn:sequenceFlow[g]/@targetRef',
  ])
  const messages = faults.map(({ message }) => message)
  expect(messages[3]).toBe('schema.bpmn:2: expected an integer from 1 to 20; found "21"')
  expect(messages[6]).toContain('there is no type "conector" (did you mean "connector"?)')
  expect(messages[11]).toContain(`"u" is a bpmn:userTask, which isn't read`)
})
