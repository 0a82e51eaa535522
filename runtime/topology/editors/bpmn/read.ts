/** Reads BPMN XML with `pipes:` attributes, as the older BPMN designer writes it. Only the process is read, and the places of its nodes. */
import type { Drawing, DrawnEdge, DrawnNode, Notes, Point, Reading, Repeater } from '../drawing.ts'
import { edgesMax, nodesMax, takeNotes, textMax } from '../drawing.ts'
import { typeOf, unknownType } from '../types.ts'
import { attributeOf, descendants, elementsOf, parseXml } from './xml.ts'
import type { Element } from './xml.ts'

const source = 'schema.bpmn'

/** Element → the type of its nodes that have no `pipes:pipesType`; null: there is none. */
const nodeElements: Readonly<Record<string, string | null>> = {
  'bpmn:startEvent': 'start',
  'bpmn:event': 'start',
  'bpmn:task': 'custom',
  'bpmn:endEvent': null,
  'bpmn:gateway': 'gateway',
  'bpmn:exclusiveGateway': 'gateway',
}

const knownAttributes = new Set([
  ...['id', 'name', 'pipes:pipesType', 'pipes:sdkHost', 'pipes:sdkHostName', 'pipes:appName', 'pipes:rabbitPrefetch'],
  ...['pipes:timeout', 'pipes:cronTime', 'pipes:repeaterEnabled', 'pipes:repeaterHops', 'pipes:repeaterInterval'],
])

const flowAttributes = new Set(['id', 'sourceRef', 'targetRef'])

/** Read and left alone: what a node's own attributes say already. */
const quietChildren = new Set(['bpmn:incoming', 'bpmn:outgoing'])

/** Never throws; faults and warnings name the line. */
export function readBpmn(text: string): Reading {
  const { root, faults } = parseXml(text, source)
  if (!root) return { drawing: { nodes: [], edges: [] }, faults, warnings: [] }
  return readTree(root)
}

export function readTree(root: Element): Reading {
  const notes = takeNotes()
  const drawing = readProcess(root, notes)
  return { drawing, faults: notes.faults, warnings: notes.warnings }
}

export function isNodeElement({ kind }: Element): boolean {
  return Object.hasOwn(nodeElements, kind)
}

export function isFlow({ kind }: Element): boolean {
  return kind === 'bpmn:sequenceFlow'
}

function readProcess(root: Element, notes: Notes): Drawing {
  const at = locating(notes)
  const none = { nodes: [], edges: [] }
  if (root.kind !== 'bpmn:definitions') {
    at.fault(root, 'definitions', `expected bpmn:definitions; found ${root.name}`)
    return none
  }
  const processes = elementsOf(root).filter(({ kind }) => kind === 'bpmn:process')
  const [process] = processes
  if (!process || processes.length > 1) {
    at.fault(root, 'bpmn:process', `expected one bpmn:process in ${root.name}; found ${processes.length}`)
    return none
  }
  const strangers = elementsOf(root).filter(({ kind }) => kind !== 'bpmn:process' && kind !== 'bpmndi:BPMNDiagram')
  for (const stranger of strangers) at.warn(stranger, stranger.name, notRead)
  return readElements(process, placesOf(root), at)
}

const notRead = 'has no counterpart here: it is kept in this document, and nothing reads it'

/** Notes at elements: the path says which one, the message where it stands. */
interface Locating {
  fault(element: Element, path: string, message: string): void
  warn(element: Element, path: string, message: string): void
  readonly notes: Notes
}

function locating(notes: Notes): Locating {
  const text = ({ line }: Element, message: string) => `${source}:${line}: ${message}`
  return {
    fault: (element, path, message) => notes.fault(path, text(element, message)),
    warn: (element, path, message) => notes.warn(path, text(element, message)),
    notes,
  }
}

function readElements(process: Element, places: ReadonlyMap<string, Point>, at: Locating): Drawing {
  const elements = elementsOf(process)
  const [drawn, flows] = [elements.filter(isNodeElement), elements.filter(isFlow)]
  const others = elements.filter((element) => !isNodeElement(element) && !isFlow(element))
  for (const other of others) at.warn(other, pathOf(other), notRead)
  if (drawn.length > nodesMax) at.fault(process, 'bpmn:process', `holds ${drawn.length} nodes; at most ${nodesMax}`)
  if (flows.length > edgesMax) at.fault(process, 'bpmn:process', `holds ${flows.length} flows; at most ${edgesMax}`)
  checkIds([...drawn, ...flows], at)
  const nodes = drawn.slice(0, nodesMax).map((element) => readNode(element, at, places))
  const ids = new Set(nodes.map(({ id }) => id).filter((id) => id !== ''))
  const unread = new Map(others.map((other) => [attributeOf(other, 'id') ?? '', other.name]))
  const edges = flows.slice(0, edgesMax).map((flow) => readEdge(flow, ids, unread, at))
  return { nodes, edges }
}

function pathOf(element: Element): string {
  const id = attributeOf(element, 'id')?.slice(0, 80)
  return id === undefined ? element.name : `${element.name}[${id}]`
}

function checkIds(elements: readonly Element[], at: Locating): void {
  const first = new Map<string, Element>()
  for (const element of elements) {
    const id = attributeOf(element, 'id') ?? ''
    const known = first.get(id)
    if (id === '') at.fault(element, `${pathOf(element)}/@id`, `${element.name} needs an id`)
    else if (id.length > textMax) at.fault(element, `${pathOf(element)}/@id`, `the id is longer than ${textMax}`)
    else if (known) at.fault(element, `${pathOf(element)}/@id`, `the id "${id}" is taken in line ${known.line}`)
    else first.set(id, element)
  }
}

function readEdge(
  flow: Element,
  ids: ReadonlySet<string>,
  unread: ReadonlyMap<string, string>,
  at: Locating,
): DrawnEdge {
  const path = pathOf(flow)
  reportUnread(flow, path, at, flowAttributes)
  const end = (kind: string): string => {
    const id = attributeOf(flow, kind) ?? ''
    const what = unread.get(id)
    const why = what === undefined ? `there is no node "${id.slice(0, 80)}"` : `"${id}" is a ${what}, which isn't read`
    if (!ids.has(id)) at.fault(flow, `${path}/@${kind}`, id === '' ? `${flow.name} needs a ${kind}` : why)
    return id
  }
  return { path, from: end('sourceRef'), to: end('targetRef') }
}

function readNode(element: Element, at: Locating, places: ReadonlyMap<string, Point>): DrawnNode {
  const path = pathOf(element)
  const id = attributeOf(element, 'id') ?? ''
  reportUnread(element, path, at)
  const text = (kind: string) => readText(element, path, kind, at)
  const title = text('name')
  if (title === undefined) at.fault(element, `${path}/@name`, 'a node needs a name')
  return {
    path,
    id,
    title: title ?? '',
    ...readType(element, path, at),
    worker: text('pipes:sdkHostName'),
    host: text('pipes:sdkHost'),
    service: text('pipes:appName'),
    prefetch: readInteger(element, path, 'pipes:rabbitPrefetch', at, [1, 20]),
    timeout: readInteger(element, path, 'pipes:timeout', at),
    repeater: readRepeater(element, path, at),
    cron: text('pipes:cronTime'),
    at: places.get(id),
  }
}

function reportUnread(
  element: Element,
  path: string,
  at: Locating,
  known: ReadonlySet<string> = knownAttributes,
): void {
  for (const { kind, name, value } of element.attributes) {
    if (known.has(kind) || kind.startsWith('xmlns') || value === '') continue
    at.warn(element, `${path}/@${name}`, notRead)
  }
  for (const child of elementsOf(element)) {
    if (!quietChildren.has(child.kind)) at.warn(child, `${path}/${child.name}`, notRead)
  }
}

function readType(element: Element, path: string, at: Locating) {
  const word = attributeOf(element, 'pipes:pipesType')
  const place = `${path}/@pipes:pipesType`
  const implied = word === undefined || word === '' ? nodeElements[element.kind] : word
  if (typeof implied !== 'string') {
    at.fault(element, place, 'an end event is no node: a run ends where nothing follows; remove it, or give it a type')
    return unknownType
  }
  return typeOf(implied, place, {
    fault: (where, message) => at.fault(element, where, message),
    warn: (where, message) => at.warn(element, where, message),
  })
}

/** Undefined when it isn't there or empty. */
function readText(element: Element, path: string, kind: string, at: Locating): string | undefined {
  const text = attributeOf(element, kind)
  if (text !== undefined && text.length > textMax)
    at.fault(element, `${path}/@${kind}`, `is longer than ${textMax} characters`)
  return text?.trim() === '' ? undefined : text
}

const integerMax = 1_000_000_000

function readInteger(
  element: Element,
  path: string,
  kind: string,
  at: Locating,
  [min, max]: readonly [number, number] = [0, integerMax],
): number | undefined {
  const text = readText(element, path, kind, at)
  if (text === undefined) return undefined
  const value = /^\s*-?\d{1,10}\s*$/.test(text) ? Number(text) : Number.NaN
  if (value >= min && value <= max) return value
  at.fault(element, `${path}/@${kind}`, `expected an integer from ${min} to ${max}; found "${text.slice(0, 80)}"`)
  return undefined
}

function readRepeater(element: Element, path: string, at: Locating): Repeater | undefined {
  const enabled = readText(element, path, 'pipes:repeaterEnabled', at)
  const hops = readInteger(element, path, 'pipes:repeaterHops', at) ?? 0
  const interval = readInteger(element, path, 'pipes:repeaterInterval', at) ?? 0
  if (enabled === undefined) return undefined
  if (enabled !== 'true' && enabled !== 'false')
    at.fault(element, `${path}/@pipes:repeaterEnabled`, `expected true or false; found "${enabled.slice(0, 80)}"`)
  return { enabled: enabled === 'true', hops, interval }
}

/** Id → upper left corner of its shape. */
function placesOf(root: Element): Map<string, Point> {
  const shapes = descendants(root, 'bpmndi:BPMNShape')
  return new Map(
    shapes.flatMap((shape): [string, Point][] => {
      const bounds = elementsOf(shape).find(({ kind }) => kind === 'dc:Bounds')
      const [x, y] = ['x', 'y'].map((key) => Number(bounds && attributeOf(bounds, key)))
      const known = Number.isFinite(x) && Number.isFinite(y)
      return known ? [[attributeOf(shape, 'bpmnElement') ?? '', { x: x ?? 0, y: y ?? 0 }]] : []
    }),
  )
}
