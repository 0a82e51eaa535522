/** Writes BPMN XML with `pipes:` attributes: the draft woven into the document that was put last, or a new one. Pure. */
import { isEventType } from '../../graph.ts'
import type { DrawnNode, Point } from '../drawing.ts'
import { isFlow, isNodeElement, readTree } from './read.ts'
import { differences } from '../show.ts'
import type { Said, Shown, ShownNode } from '../show.ts'
import { append, attributeOf, descendants, elementsOf, namespaces, parseXml, remove, writeXml } from './xml.ts'
import type { Element } from './xml.ts'

const emptyDocument = `<bpmn:definitions ${Object.entries(namespaces)
  .map(([prefix, uri]) => `xmlns:${prefix}="${uri}"`)
  .join(' ')} id="Definitions_1" targetNamespace="http://bpmn.io/schema/bpmn">
  <bpmn:process id="Process_1" isExecutable="false"/>
  <bpmndi:BPMNDiagram id="BPMNDiagram_1">
    <bpmndi:BPMNPlane id="BPMNPlane_1" bpmnElement="Process_1"/>
  </bpmndi:BPMNDiagram>
</bpmn:definitions>`

const sizes = { event: { width: 36, height: 36 }, activity: { width: 100, height: 80 } } as const

/** `source` is a document that `readBpmn` took; null: none was put. */
export function writeBpmn(source: string | null, shown: Shown): string {
  const { root } = parseXml(source ?? emptyDocument, 'schema.bpmn')
  const process = root && elementsOf(root).find(({ kind }) => kind === 'bpmn:process')
  if (!root || !process) throw new Error('the stored schema.bpmn has no process: it was not checked when it was saved')
  weaveNodes(root, process, shown)
  const flows = weaveFlows(process, shown)
  joinFlows(process, flows)
  weaveDiagram(root, shown, flows)
  return writeXml(root)
}

const idOf = (element: Element): string => attributeOf(element, 'id') ?? ''

function weaveNodes(root: Element, process: Element, shown: Shown): void {
  const wanted = new Map(shown.nodes.map((node) => [node.id, node]))
  const drawn = new Map(readTree(root).drawing.nodes.map((node) => [node.id, node]))
  remove(process, (element) => isNodeElement(element) && !wanted.has(idOf(element)))
  const there = new Map(
    elementsOf(process)
      .filter(isNodeElement)
      .map((element) => [idOf(element), element]),
  )
  for (const node of shown.nodes) {
    const element = there.get(node.id) ?? newNode(process, node)
    const fields = differences(drawn.get(node.id) ?? blank(node), node, shown.workers)
    for (const field of fields) for (const [kind, value] of attributesOf(field, node)) set(root, element, kind, value)
  }
}

function newNode(process: Element, { id, node }: ShownNode): Element {
  const local = isEventType(node.type) ? 'event' : 'task'
  const element = newElement(process, `bpmn:${local}`, { id })
  append(process, element, 2)
  return element
}

/** A node that says nothing yet. */
function blank({ id, node }: ShownNode): DrawnNode {
  const nothing = { worker: undefined, host: undefined, service: undefined, prefetch: undefined, timeout: undefined }
  const type = isEventType(node.type) ? 'custom' : 'start'
  return {
    path: '',
    id,
    title: '',
    type,
    callable: true,
    foreign: undefined,
    ...nothing,
    repeater: undefined,
    cron: undefined,
    at: undefined,
  }
}

function attributesOf(
  field: Said,
  { title, node, foreign, host, timeout, repeater }: ShownNode,
): [string, string | undefined][] {
  const text = (value: number | undefined) => value?.toString()
  switch (field) {
    case 'title':
      return [['name', title]]
    case 'type':
      return [['pipes:pipesType', foreign ?? node.type]]
    case 'worker':
      return [
        ['pipes:sdkHostName', node.worker],
        ['pipes:sdkHost', host],
      ]
    case 'service':
      return [['pipes:appName', node.service]]
    case 'prefetch':
      return [['pipes:rabbitPrefetch', text(node.prefetch)]]
    case 'timeout':
      return [['pipes:timeout', text(timeout)]]
    case 'repeater':
      return [
        ['pipes:repeaterEnabled', repeater ? 'true' : 'false'],
        ['pipes:repeaterHops', text(repeater?.hops)],
        ['pipes:repeaterInterval', text(repeater?.interval)],
      ]
    case 'cron':
      return [['pipes:cronTime', node.cron]]
  }
}

/** Undefined takes the attribute away. */
function set(root: Element, element: Element, kind: string, value: string | undefined): void {
  const index = element.attributes.findIndex((attribute) => attribute.kind === kind)
  const there = element.attributes[index]
  if (value === undefined) {
    if (there) element.attributes.splice(index, 1)
  } else if (there) there.value = value
  else element.attributes.push({ name: nameOf(root, kind), kind, value })
}

/** The name of a kind in this document, whose prefix may be another; declares it if nobody did. */
function nameOf(root: Element, kind: string): string {
  const [prefix = '', local = ''] = kind.split(':')
  const uri = namespaces[prefix]
  if (uri === undefined || !kind.includes(':')) return kind
  const declared = root.attributes.find(({ name, value }) => name.startsWith('xmlns:') && value === uri)
  if (declared) return `${declared.name.slice(6)}:${local}`
  if (!root.attributes.some(({ name }) => name === `xmlns:${prefix}`))
    root.attributes.push({ name: `xmlns:${prefix}`, kind: `xmlns:${prefix}`, value: uri })
  return kind
}

/** An element beside or below `like`, with its prefix. */
function newElement(like: Element, kind: string, attributes: Readonly<Record<string, string>>): Element {
  const prefix = like.name.slice(0, like.name.indexOf(':') + 1)
  const name = `${prefix}${kind.slice(kind.indexOf(':') + 1)}`
  const list = Object.entries(attributes).map(([key, value]) => ({ name: key, kind: key, value }))
  return { name, kind, line: 0, attributes: list, children: [] }
}

/** Keeps the flows that the draft still has, each once, and adds those that it has more: in the draft's order, which is that of followers. */
function weaveFlows(process: Element, shown: Shown): Element[] {
  const missing = new Map(shown.edges.map((edge) => [`${edge.from} ${edge.to}`, edge]))
  const order = new Map([...missing.keys()].map((ends, index) => [ends, index]))
  // Also those that go away: their shapes are still there.
  const taken = new Set(elementsOf(process).map(idOf))
  remove(process, (element) => isFlow(element) && !missing.delete(endsOf(element)))
  let n = 0
  for (const { from, to } of missing.values()) {
    do n += 1
    while (taken.has(`Flow_${n}`))
    append(process, newElement(process, 'bpmn:sequenceFlow', { id: `Flow_${n}`, sourceRef: from, targetRef: to }), 2)
  }
  const place = (flow: Element): number => order.get(endsOf(flow)) ?? 0
  const flows = elementsOf(process)
    .filter(isFlow)
    .sort((a, b) => place(a) - place(b))
  const left = flows.values()
  for (const [index, child] of process.children.entries())
    if ('name' in child && isFlow(child)) process.children[index] = left.next().value ?? child
  return flows
}

function endsOf(flow: Element): string {
  return `${attributeOf(flow, 'sourceRef')} ${attributeOf(flow, 'targetRef')}`
}

/** Each node says which flows come in and go out: the old editor finds where a graph starts by that. */
function joinFlows(process: Element, flows: readonly Element[]): void {
  const joins = [
    { kind: 'bpmn:incoming', ids: idsByEnd(flows, 'targetRef') },
    { kind: 'bpmn:outgoing', ids: idsByEnd(flows, 'sourceRef') },
  ]
  for (const element of elementsOf(process).filter(isNodeElement)) {
    for (const { kind, ids } of joins) {
      const wanted = new Set(ids.get(idOf(element)))
      remove(element, (child) => child.kind === kind && !wanted.delete(contentOf(child)))
      for (const id of wanted) append(element, { ...newElement(process, kind, {}), children: [{ text: id }] }, 3)
    }
  }
}

/** Id of a node → ids of the flows that have it at this end. */
function idsByEnd(flows: readonly Element[], end: string): Map<string, string[]> {
  const ids = new Map<string, string[]>()
  for (const flow of flows) {
    const node = attributeOf(flow, end) ?? ''
    ids.set(node, [...(ids.get(node) ?? []), idOf(flow)])
  }
  return ids
}

function contentOf({ children }: Element): string {
  return children
    .map((child) => ('text' in child ? child.text : ''))
    .join('')
    .trim()
}

/** Takes out the shapes of what is gone, and draws what is new. A document without a diagram gets none. */
function weaveDiagram(root: Element, shown: Shown, flows: readonly Element[]): void {
  const [plane] = descendants(root, 'bpmndi:BPMNPlane')
  if (!plane) return
  const here = new Set(allBelow(root).map(idOf))
  const isShape = ({ kind }: Element) => kind === 'bpmndi:BPMNShape' || kind === 'bpmndi:BPMNEdge'
  const refOf = (element: Element) => attributeOf(element, 'bpmnElement') ?? ''
  remove(plane, (element) => isShape(element) && !here.has(refOf(element)))
  const drawn = new Set(elementsOf(plane).filter(isShape).map(refOf))
  for (const node of shown.nodes) if (!drawn.has(node.id)) addShape(root, plane, node)
  const places = new Map(shown.nodes.map((node) => [node.id, node]))
  for (const flow of flows) if (!drawn.has(idOf(flow))) addLine(root, plane, flow, places)
}

function allBelow(element: Element): Element[] {
  return elementsOf(element).flatMap((child) => [child, ...allBelow(child)])
}

function sizeOf({ node }: ShownNode): { readonly width: number; readonly height: number } {
  return isEventType(node.type) ? sizes.event : sizes.activity
}

function addShape(root: Element, plane: Element, node: ShownNode): void {
  const { width, height } = sizeOf(node)
  const shape = newElement(plane, 'bpmndi:BPMNShape', { id: `${node.id}_di`, bpmnElement: node.id })
  const bounds = { x: `${node.at.x}`, y: `${node.at.y}`, width: `${width}`, height: `${height}` }
  append(shape, { ...newElement(shape, 'dc:Bounds', bounds), name: nameOf(root, 'dc:Bounds') }, 4)
  append(plane, shape, 3)
}

function addLine(root: Element, plane: Element, flow: Element, places: ReadonlyMap<string, ShownNode>): void {
  const [from, to] = ['sourceRef', 'targetRef'].map((end) => places.get(attributeOf(flow, end) ?? ''))
  if (!from || !to) return
  const line = newElement(plane, 'bpmndi:BPMNEdge', { id: `${idOf(flow)}_di`, bpmnElement: idOf(flow) })
  const middle = (node: ShownNode) => node.at.y + sizeOf(node).height / 2
  const ends: Point[] = [
    { x: from.at.x + sizeOf(from).width, y: middle(from) },
    { x: to.at.x, y: middle(to) },
  ]
  for (const { x, y } of ends) {
    const point = newElement(line, 'di:waypoint', { x: `${x}`, y: `${y}` })
    append(line, { ...point, name: nameOf(root, 'di:waypoint') }, 4)
  }
  append(plane, line, 3)
}
