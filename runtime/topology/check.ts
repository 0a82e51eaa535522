/** Whether a topology document can be published: every fault at once, each with its path. Pure, and it never throws. */
import type { z } from 'zod'
import type { Fault } from '../errors.ts'
import { cronFault, timezoneFault } from './schedule/cron.ts'
import { faultsOf } from './faults/faults.ts'
import { withoutFaults } from './faults/repair.ts'
import { checkGraph, isEventType } from './graph.ts'
import { retryDefaults } from './plan.ts'
import { documentSchema, type DocumentNode, type TopologyDocument } from './schema.ts'
import { didYouMean } from './suggest.ts'

/** What a worker's manifest says of it. */
export interface KnownWorker {
  readonly nodes: readonly { readonly name: string; readonly type: string }[]
}

export interface Known {
  /** By name; null for a worker whose manifest isn't known, where any node is taken. Left out: any name is taken. */
  readonly workers?: ReadonlyMap<string, KnownWorker | null>
  /** Left out: any name is taken. */
  readonly services?: ReadonlySet<string>
}

type Key = keyof DocumentNode

/** Fields that only a call to a worker needs. */
const workerFields = [
  'worker',
  'uses',
  'path',
  'service',
  'limitCost',
  'partitions',
  'partitionKey',
  'retry',
  'timeoutMs',
  'inPlaceMaxMs',
  'onFail',
  'settings',
  'emit',
  'maxPages',
  'watermark',
] as const satisfies readonly Key[]

/** All faults that forbid publishing; none means that `compilePlan` will take the document. */
export function checkDocument(document: TopologyDocument, known: Known): Fault[] {
  const shape = documentSchema.safeParse(document)
  if (shape.success) return crossFaults(document, known)
  return [...faultsOf(shape.error, document), ...faultsBeyond(document, shape.error, known)]
}

/** What else is wrong with a document whose shape is: as much as what is right of it tells. Never throws. */
export function faultsBeyond(value: unknown, error: z.ZodError, known: Known): Fault[] {
  const rest = withoutFaults(value, error)
  const skeleton = rest ?? skeletonOf(value)
  if (skeleton === null) return []
  if (rest === null) return [...checkNames(skeleton), ...checkGraph(skeleton)]
  const told = new Set(faultsOf(error, value).map(({ path }) => subjectOf(path)))
  return crossFaults(rest, known).filter(({ path }) => !told.has(subjectOf(path)))
}

/** What a fault is about: of a policy the whole, since its fields are weighed against each other. */
const subjectOf = (path: string): string => path.replace(/(\.retry)\b.*/, '$1')

function crossFaults(document: TopologyDocument, known: Known): Fault[] {
  return [...checkNodes(document, known), ...checkNames(document), ...checkGraph(document)]
}

/** Names, types and edges of a document whose shape is wrong elsewhere, or null when even these can't be read. */
function skeletonOf(value: unknown): TopologyDocument | null {
  const { nodes, edges } = Object(value) as { nodes?: unknown; edges?: unknown }
  if (!Array.isArray(nodes) || !Array.isArray(edges)) return null
  const strings = (item: unknown, keys: readonly string[]): boolean =>
    keys.every((key) => typeof (Object(item) as Record<string, unknown>)[key] === 'string')
  if (
    !nodes.every((node) => strings(node, ['name', 'type'])) ||
    !edges.every((edge) => strings(edge, ['from', 'to']))
  ) {
    return null
  }
  return { name: '', nodes: nodes as DocumentNode[], edges: edges as TopologyDocument['edges'] }
}

function checkNodes({ nodes }: TopologyDocument, known: Known): Fault[] {
  return nodes.flatMap((node, index) => checkNode(node, `nodes[${index}]`, known))
}

/** What is wrong beyond its shape for which a draft is refused: names that are taken, and schedules. */
export function checkDraft(document: TopologyDocument): Fault[] {
  return [...checkNames(document), ...checkSchedules(document)]
}

/** Names that are taken. */
function checkNames({ nodes }: TopologyDocument): Fault[] {
  const first = new Map<string, number>()
  return nodes.flatMap(({ name }, index) => {
    const known = first.get(name)
    if (known === undefined) first.set(name, index)
    if (known === undefined) return []
    return [{ path: `nodes[${index}].name`, message: `nodes[${known}] is named ${name} already; names are unique` }]
  })
}

function checkNode(node: DocumentNode, path: string, known: Known): Fault[] {
  const special = node.type === 'cron' ? checkCron(node, path) : checkNoCron(node, path)
  const common = isEventType(node.type) ? checkEventNode(node, path) : checkWorkerNode(node, path, known)
  return [...special, ...checkWebhook(node, path), ...common]
}

function checkEventNode(node: DocumentNode, path: string): Fault[] {
  return workerFields.flatMap((key) => misplaced(node, key, path, `a ${node.type} node calls no worker`))
}

function checkWorkerNode(node: DocumentNode, path: string, known: Known): Fault[] {
  return [
    ...misplaced(node, 'enabled', path, `a ${node.type} node can only be paused; enabled is for event nodes`),
    ...misplaced(node, 'reconcile', path, 'runs begin at event nodes, and these say what their runs are for'),
    ...checkWorker(node, path, known),
    ...checkService(node, path, known),
    ...checkRetry(node, path),
    ...checkPaging(node, path),
    ...checkPartitions(node, path),
    ...checkBlock(node, path),
  ]
}

function misplaced(node: DocumentNode, key: Key, path: string, why: string): Fault[] {
  return node[key] === undefined ? [] : [{ path: `${path}.${key}`, message: `${why}; remove ${key} from ${node.name}` }]
}

function checkWorker(node: DocumentNode, path: string, { workers }: Known): Fault[] {
  const { name, worker, uses } = node
  if (worker === undefined) return [{ path: `${path}.worker`, message: `${name} needs a worker that implements it` }]
  if (workers === undefined) return []
  const manifest = workers.get(worker)
  if (manifest === undefined) {
    const hint = didYouMean(worker, workers.keys())
    return [
      { path: `${path}.worker`, message: `there is no worker "${worker}"${hint}; register it, or correct the name` },
    ]
  }
  // A node with a path of its own isn't looked up by name.
  if (manifest === null || node.path !== undefined) return []
  const wanted = uses ?? name
  const found = manifest.nodes.find((candidate) => candidate.name === wanted)
  if (found === undefined) {
    const hint = didYouMean(
      wanted,
      manifest.nodes.map((candidate) => candidate.name),
    )
    return [
      { path: uses === undefined ? path : `${path}.uses`, message: `worker ${worker} has no node "${wanted}"${hint}` },
    ]
  }
  if ((found.type === 'batch') === (node.type === 'batch')) return []
  return [{ path: `${path}.type`, message: `${wanted} of worker ${worker} has type ${found.type}, not ${node.type}` }]
}

function checkService({ service }: DocumentNode, path: string, { services }: Known): Fault[] {
  if (service === undefined || services === undefined || services.has(service)) return []
  const hint = didYouMean(service, services)
  const message = `there is no service "${service}"${hint}; say what it allows (sluice service add), or correct the name`
  return [{ path: `${path}.service`, message }]
}

function checkRetry({ retry }: DocumentNode, path: string): Fault[] {
  const message = retryFault(retry)
  return message === null ? [] : [{ path: `${path}.retry.maxMs`, message }]
}

/** What is wrong between the fields of a retry policy, or null. */
export function retryFault(
  retry: { readonly baseMs?: number | undefined; readonly maxMs?: number | undefined } | null | undefined,
): string | null {
  const [baseMs, maxMs] = [retry?.baseMs ?? retryDefaults.baseMs, retry?.maxMs ?? retryDefaults.maxMs]
  return maxMs >= baseMs ? null : `maxMs (${maxMs}) must not be less than baseMs (${baseMs})`
}

function checkPaging(node: DocumentNode, path: string): Fault[] {
  if (node.type === 'batch') return []
  const why = `only batch nodes read pages, and ${node.name} has type ${node.type}`
  return (['maxPages', 'watermark'] as const).flatMap((key) => misplaced(node, key, path, why))
}

/** A partition key without partitions decides nothing, and does no harm: so lanes can be tried and taken back by one figure. */
function checkPartitions({ name, partitions = 1, prefetch = 1 }: DocumentNode, path: string): Fault[] {
  const message = prefetchFault(name, partitions, prefetch)
  return message === null ? [] : [{ path: `${path}.prefetch`, message }]
}

/** Why a node with so many partitions can't have this prefetch; null when it can. */
export function prefetchFault(name: string, partitions: number, prefetch: number): string | null {
  if (partitions === 1 || prefetch === 1) return null
  return `${name} has ${partitions} partitions, which handle one message each: it needs prefetch 1, found ${prefetch}`
}

function checkBlock({ name, prefetch = 1, onFail = 'skip' }: DocumentNode, path: string): Fault[] {
  const message = blockFault(name, prefetch, onFail)
  return message === null ? [] : [{ path: `${path}.onFail`, message }]
}

/** Why a node with this prefetch can't block; null when it can. */
export function blockFault(name: string, prefetch: number, onFail: string): string | null {
  if (onFail !== 'block' || prefetch === 1) return null
  return `${name} calls ${prefetch} messages side by side, so none can be stopped behind another: onFail: block needs prefetch 1 or partitions`
}

function checkCron(node: DocumentNode, path: string): Fault[] {
  const missing = { path: `${path}.cron`, message: `${node.name} needs a cron text such as "0 6 * * *"` }
  return [...(node.cron === undefined ? [missing] : []), ...checkSchedule(node, path)]
}

/** Faults of the schedules that a document names. */
function checkSchedules({ nodes }: TopologyDocument): Fault[] {
  return nodes.flatMap((node, index) => (node.type === 'cron' ? checkSchedule(node, `nodes[${index}]`) : []))
}

function checkSchedule({ cron, timezone }: DocumentNode, path: string): Fault[] {
  const faults = {
    cron: cron === undefined ? null : cronFault(cron),
    timezone: timezone === undefined ? null : timezoneFault(timezone),
  }
  return Object.entries(faults).flatMap(([key, message]) =>
    message === null ? [] : [{ path: `${path}.${key}`, message }],
  )
}

function checkWebhook(node: DocumentNode, path: string): Fault[] {
  if (node.type === 'webhook') return carriedSecrets(node, path)
  const why = `only webhook nodes take deliveries, and ${node.name} has type ${node.type}`
  return (['verify', 'handshake', 'accept'] as const).flatMap((key) => misplaced(node, key, path, why))
}

/** What proves the sender goes no further. */
function carriedSecrets({ verify, accept }: DocumentNode, path: string): Fault[] {
  if (verify?.scheme !== 'token' || verify.header === undefined) return []
  const secret = verify.header.toLowerCase()
  return (accept?.headers ?? []).flatMap((name, index) =>
    name.toLowerCase() === secret
      ? [{ path: `${path}.accept.headers[${index}]`, message: `${name} holds the token, which no message carries` }]
      : [],
  )
}

function checkNoCron(node: DocumentNode, path: string): Fault[] {
  const why = `only cron nodes have a schedule, and ${node.name} has type ${node.type}`
  const faults = (['cron', 'timezone', 'missed', 'message'] as const).flatMap((key) => misplaced(node, key, path, why))
  if (node.type === 'start') return faults
  return [...faults, ...misplaced(node, 'overlap', path, 'only start and cron nodes weigh whether runs overlap')]
}
