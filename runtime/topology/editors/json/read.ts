/** Reads the JSON payload of the older flow editor: `{nodes, connections}`. */
import { z } from 'zod'
import { unsafeValue } from '../../document.ts'
import { faultsOf } from '../../faults/faults.ts'
import type { DrawnEdge, DrawnNode, Notes, Reading } from '../drawing.ts'
import { edgesMax, nodesMax, takeNotes, textMax } from '../drawing.ts'
import { typeOf, unknownType } from '../types.ts'

const sourceMaxBytes = 1024 * 1024

const text = z.string().max(textMax).nullish()
const keyText = `expected an id: a text of at most ${textMax}`
const key = z.union([z.string().min(1).max(textMax), z.int()], keyText)
const seconds = z.int().min(0).max(1_000_000_000)

const repeaterSchema = z.looseObject({ enabled: z.boolean(), hops: seconds.optional(), interval: seconds.optional() })

const actionSchema = z.looseObject({ name: text, type: text, worker: text, app: text, event: text })

const fieldsSchema = z.looseObject({
  id: key.optional().describe('Required, but of an annotation that has a noteId'),
  noteId: key.optional(),
  type: text,
  shape: text,
  label: text,
  name: text,
  position: z.looseObject({ x: z.number(), y: z.number() }).nullish(),
  action: actionSchema.nullish(),
  sdk: text,
  sdkHost: text,
  application: text,
  // The editor fills in 1 by itself, so up to there a value says nothing.
  prefetch: z.int().max(20).nullish(),
  timeout: seconds.nullish(),
  cron: z.looseObject({ time: text }).nullish(),
  repeater: repeaterSchema.nullish(),
})

/** Annotations have a `noteId` in place of the `id`. */
const nodeSchema = fieldsSchema.refine(
  (node) => node.id !== undefined || (isAnnotation(node) && node.noteId !== undefined),
  {
    path: ['id'],
    error: keyText,
    when: ({ value }) => typeof value === 'object' && value !== null,
  },
)

const connectionSchema = z.looseObject({ from: key, to: key })

export const jsonSchema = z.looseObject({
  nodes: z.array(nodeSchema).max(nodesMax * 2),
  connections: z.array(connectionSchema).max(edgesMax).default([]),
})

export type JsonNode = z.output<typeof fieldsSchema>
export type JsonDocument = z.output<typeof jsonSchema>

/** JSON Schema (2020-12) of the payload, as editors send it. */
export function flowJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(jsonSchema, { io: 'input' })
}

const quietKeys = new Set([...Object.keys(fieldsSchema.shape), 'property'])
const quietParts: Readonly<Record<string, ReadonlySet<string>>> = {
  action: new Set([...Object.keys(actionSchema.shape), 'icon']),
  cron: new Set(['time']),
  repeater: new Set(Object.keys(repeaterSchema.shape)),
}

/** Never throws. */
export function readJson(value: unknown): Reading {
  const none = { nodes: [], edges: [] }
  const refused = tooMuch(value)
  if (refused) return { drawing: none, faults: [refused], warnings: [] }
  const parsed = jsonSchema.safeParse(value)
  if (!parsed.success) return { drawing: none, faults: faultsOf(parsed.error, value), warnings: [] }
  const notes = takeNotes()
  const nodes = readNodes(parsed.data, notes)
  const edges = readEdges(parsed.data, nodes, notes)
  return { drawing: { nodes, edges }, faults: notes.faults, warnings: notes.warnings }
}

function tooMuch(value: unknown): { path: string; message: string } | null {
  const unsafe = unsafeValue(value)
  if (unsafe) return { path: unsafe.path.map(String).join('.').slice(0, 200), message: unsafe.message }
  const bytes = Buffer.byteLength(JSON.stringify(value))
  return bytes > sourceMaxBytes ? { path: '', message: `is larger than ${sourceMaxBytes} bytes` } : null
}

/** Notes of people beside the graph: they stay in the payload. */
export function isAnnotation({ type }: Pick<JsonNode, 'type'>): boolean {
  return type === 'annotation'
}

/** What is unique among the nodes and notes of a payload. */
export function keyOf({ id, noteId }: JsonNode): string {
  return String(id ?? noteId)
}

function readNodes({ nodes }: JsonDocument, notes: Notes): DrawnNode[] {
  const first = new Map<string, number>()
  const drawn = nodes.flatMap((node, index) => {
    const [id, path] = [keyOf(node), `nodes[${index}]`]
    const known = first.get(id)
    if (known === undefined) first.set(id, index)
    else notes.fault(`${path}.${node.id === undefined ? 'noteId' : 'id'}`, `the id "${id}" is taken by nodes[${known}]`)
    return isAnnotation(node) ? [] : [readNode(node, path, notes)]
  })
  if (drawn.length > nodesMax) notes.fault('nodes', `holds ${drawn.length} nodes; at most ${nodesMax}`)
  return drawn
}

function readEdges({ connections }: JsonDocument, nodes: readonly DrawnNode[], notes: Notes): DrawnEdge[] {
  const ids = new Set(nodes.map(({ id }) => id))
  return connections.map((connection, index) => {
    const path = `connections[${index}]`
    const [from, to] = [String(connection.from), String(connection.to)]
    if (!ids.has(from)) notes.fault(`${path}.from`, `there is no node "${from}"`)
    if (!ids.has(to)) notes.fault(`${path}.to`, `there is no node "${to}"`)
    return { path, from, to }
  })
}

/** What one node of a payload says; paths in notes begin with `path`. */
export function readNode(node: JsonNode, path: string, notes: Notes): DrawnNode {
  const type = readType(node, path, notes)
  const title = titleOf(node)
  if (title === undefined) notes.fault(`${path}.name`, 'a node needs a name')
  reportUnread(node, path, notes)
  const { prefetch, timeout, cron, repeater, position } = node
  return {
    path,
    id: keyOf(node),
    title: title ?? '',
    ...type,
    worker: said(node.action?.worker) ?? said(node.sdk),
    host: said(node.sdkHost),
    service: said(node.action?.app) ?? said(node.application),
    prefetch: prefetch ?? undefined,
    timeout: timeout ?? undefined,
    repeater: repeater
      ? { enabled: repeater.enabled, hops: repeater.hops ?? 0, interval: repeater.interval ?? 0 }
      : undefined,
    cron: said(cron?.time),
    at: position ? { x: position.x, y: position.y } : undefined,
  }
}

function said(text: string | null | undefined): string | undefined {
  return text?.trim() === '' ? undefined : (text ?? undefined)
}

const circles: Readonly<Record<string, string>> = { webhook: 'webhook', cron: 'cron' }

function readType(node: JsonNode, path: string, notes: Notes) {
  const { shape, action } = node
  const label = said(node.label)?.toLowerCase() ?? ''
  // Payloads that were written by hand name the type itself.
  const own = said(node.type) === 'flow' ? undefined : said(node.type)
  if (own !== undefined) return typeOf(own, `${path}.type`, notes)
  if (shape === 'circle' && label === 'end event') {
    notes.fault(`${path}.label`, 'an end event is no node: a run ends where nothing follows; remove it')
    return unknownType
  }
  if (shape === 'circle') return typeOf(circles[label] ?? 'start', `${path}.label`, notes)
  if (shape === 'hexagon') return typeOf('user', `${path}.shape`, notes)
  if (action) return typeOf(said(action.type) ?? 'custom', `${path}.action.type`, notes)
  notes.fault(`${path}.action`, 'expected an action: which node of which worker is called')
  return unknownType
}

/** The worker's name for the node; of a webhook application and event, of a start what people call it. */
function titleOf({ shape, label, name, action }: JsonNode): string | undefined {
  const isWebhook = said(label)?.toLowerCase() === 'webhook'
  if (shape === 'circle' && isWebhook && said(action?.app) && said(action?.event))
    return `${said(action?.app)}.${said(action?.event)}`
  const called = shape === 'circle' && !isWebhook ? said(name) : said(action?.name)
  return called ?? said(name) ?? (shape === 'hexagon' ? 'user-task' : undefined)
}

function reportUnread(node: JsonNode, path: string, notes: Notes): void {
  reportKeys(node, quietKeys, path, notes)
  for (const [part, keys] of Object.entries(quietParts)) {
    const value = node[part]
    if (value) reportKeys(value, keys, `${path}.${part}`, notes)
  }
}

function reportKeys(value: object, known: ReadonlySet<string>, path: string, notes: Notes): void {
  for (const [key, inner] of Object.entries(value)) {
    if (known.has(key) || isEmpty(inner)) continue
    notes.warn(
      `${path}.${key.slice(0, 80)}`,
      'has no counterpart here: it is kept in this payload, and nothing reads it',
    )
  }
}

function isEmpty(value: unknown): boolean {
  if (value === null || value === '') return true
  return typeof value === 'object' && Object.keys(value).length === 0
}
