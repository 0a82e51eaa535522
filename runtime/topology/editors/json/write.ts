/** Writes the JSON payload of the older flow editor: the draft woven into the payload that was put last, or a new one. Pure. */
import { isEventType } from '../../graph.ts'
import { takeNotes } from '../drawing.ts'
import { isAnnotation, jsonSchema, keyOf, readNode } from './read.ts'
import type { JsonDocument, JsonNode } from './read.ts'
import { differences } from '../show.ts'
import type { Said, Shown, ShownNode } from '../show.ts'

type Written = Record<string, unknown>

/** `source` is a payload that `readJson` took; null: none was put. */
export function writeJson(source: unknown, shown: Shown): Record<string, unknown> {
  const before: JsonDocument = source === null ? { nodes: [], connections: [] } : jsonSchema.parse(source)
  const wanted = new Map(shown.nodes.map((node) => [node.id, node]))
  const kept = before.nodes.flatMap((json): Written[] => {
    if (isAnnotation(json)) return [json]
    const node = wanted.get(keyOf(json))
    return node ? [{ ...json, ...changes(json, node, shown) }] : []
  })
  const there = new Set(before.nodes.filter((json) => !isAnnotation(json)).map(keyOf))
  const added = shown.nodes.filter(({ id }) => !there.has(id)).map((node) => newNode(node, shown))
  return { ...before, nodes: [...kept, ...added], connections: weaveConnections(before, shown) }
}

function newNode(node: ShownNode, shown: Shown): Written {
  const { id, at, foreign } = node
  const shape = shapeOf(node)
  const json = {
    id,
    type: 'flow',
    shape,
    label: labelOf(node),
    position: { ...at },
    property: null,
    name: null,
    action: null,
  }
  const isCalled = shape === 'rectangle'
  const more = changes({ ...json, ...(isCalled && { action: { type: foreign ?? node.node.type } }) }, node, shown)
  return { ...json, ...more }
}

const labels = {
  start: 'Event',
  cron: 'Cron',
  webhook: 'Webhook',
  connector: 'Connector',
  batch: 'Batch',
  custom: 'Custom Action',
} as const

function labelOf({ node, foreign }: ShownNode): string {
  return foreign === breakpoint ? 'Breakpoint' : labels[node.type]
}

/** The word of BPMN for what the flow editor has a shape of its own for. */
const breakpoint = 'user'

function shapeOf({ node, foreign }: ShownNode): string {
  if (foreign === breakpoint) return 'hexagon'
  return isEventType(node.type) ? 'circle' : 'rectangle'
}

/** What has to be changed in a node of a payload, so that it says what the draft says. */
function changes(json: JsonNode, node: ShownNode, { workers }: Shown): Written {
  const fields = differences(readNode(json, '', takeNotes()), node, workers)
  return [...fields].reduce<JsonNode>((now, field) => ({ ...now, ...change(field, now, node) }), json)
}

function change(field: Said, json: JsonNode, shown: ShownNode): Written {
  const { node, title, repeater, timeout } = shown
  const action = (values: Written): Written => ({ action: defined({ ...json.action, ...values }) })
  switch (field) {
    case 'title':
      return isEventType(node.type) || (json.shape === 'hexagon' && !json.action)
        ? { name: title }
        : action({ name: title })
    case 'type':
      return changeType(json, shown)
    case 'worker':
      return { ...action({ worker: node.worker }), ...('sdkHost' in json && { sdkHost: null }), sdk: undefined }
    case 'service':
      return { ...action({ app: node.service }), application: undefined }
    case 'prefetch':
      return { prefetch: node.prefetch }
    case 'timeout':
      return { timeout }
    case 'repeater':
      return { repeater: repeater ? { ...json.repeater, ...repeater } : { ...json.repeater, enabled: false } }
    case 'cron':
      return { cron: node.cron === undefined ? null : { ...json.cron, time: node.cron } }
  }
}

function changeType({ type, action }: JsonNode, shown: ShownNode): Written {
  if (type && type !== 'flow') return { type: shown.node.type }
  if (isEventType(shown.node.type)) return { shape: 'circle', label: labelOf(shown) }
  return { shape: 'rectangle', label: labelOf(shown), action: { ...action, type: shown.node.type } }
}

/** JSON has no undefined. */
function defined(value: Written): Written {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined))
}

/** In the draft's order, which is that of followers; what connects the same nodes already stays as it is. */
function weaveConnections({ connections }: JsonDocument, { edges }: Shown): Written[] {
  const there = new Map<string, Written>()
  for (const connection of connections.toReversed()) there.set(`${connection.from} ${connection.to}`, connection)
  return edges.map(({ from, to }) => {
    const fresh = { id: `${from}-${to}`, from, to, sourceOutput: 'output', targetInput: 'input' }
    return there.get(`${from} ${to}`) ?? fresh
  })
}
