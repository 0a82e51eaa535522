import { isDeepStrictEqual } from 'node:util'
import { Invalid, LostRace } from '../../errors.ts'
import type { Fault } from '../../errors.ts'
import { getNode, listNodes, replaceNodes, updateNode } from '../../store/queries/nodes.ts'
import type { DraftNode, Node, StoredValues } from '../../store/queries/nodes.ts'
import type { DrawnValues } from '../../store/schema/index.ts'
import { insertTopology, lockTopology, updateTopology } from '../../store/queries/topologies.ts'
import type { Topology } from '../../store/queries/topologies.ts'
import { blockFault, checkDraft, prefetchFault, retryFault } from '../../topology/check.ts'
import { cronFault, timezoneFault } from '../../topology/schedule/cron.ts'
import { readDocument } from '../../topology/document.ts'
import { eventNodeTypes } from '../../topology/plan.ts'
import type { RetryPolicy } from '../../topology/plan.ts'
import type { DocumentNode, TopologyDocument } from '../../topology/schema.ts'
import { ofNode, ofTopology } from '../access/targets.ts'
import type { Changing } from '../deps.ts'
import { makeAddresses } from './hooks/manage.ts'

/**
 * Drafts. A node's values (prefetch, retry, …) are stored beside the document too, by name, because they can be changed
 * alone and be republished without the rest of the draft. What a document names wins over the stored value; what it
 * leaves out keeps it, and is filled in: so the document always says what is stored.
 */

type Deps = Pick<Changing, 'store' | 'secretKey' | 'audit'>

/** Throws `Invalid` with every fault of the document's shape. Faults of the graph are for publish to find. */
export function documentOf(value: unknown): TopologyDocument {
  const { document, faults } = readDocument(value)
  const all = document ? [...faults, ...checkDraft(document)] : faults
  if (document && all.length === 0) return document
  throw new Invalid(`the topology document has ${all.length === 1 ? 'one fault' : `${all.length} faults`}`, all)
}

/** Throws `Invalid`, and `Conflict` when the name is taken. */
export async function createTopology({ store, secretKey, audit }: Deps, document: TopologyDocument): Promise<Topology> {
  return store.transaction(async (inside) => {
    const draft = fillIn(document, new Map())
    const topology = await insertTopology(inside, fieldsOf(draft.document))
    await replaceNodes(inside, topology.id, draft.nodes, false)
    await makeAddresses({ store: inside, secretKey }, topology.id)
    await audit(inside, ofTopology(null, topology))
    return topology
  })
}

/** Throws `NotFound`, `LostRace`, and `Conflict` when a new name is taken. */
export async function replaceDraft(
  { store, secretKey, audit }: Deps,
  id: string,
  document: TopologyDocument,
  ifVersion: number | null,
): Promise<Topology> {
  return store.transaction(async (inside) => {
    const before = await lockTopology(inside, id, ifVersion)
    const stored = new Map((await listNodes(inside, id, true)).map((node) => [node.name, node]))
    const draft = fillIn(document, stored)
    const isChanged = !isSaved(draft, before, stored)
    if (isChanged) await replaceNodes(inside, id, draft.nodes, before.revision > 0)
    // Also of what an older version has saved.
    await makeAddresses({ store: inside, secretKey }, id)
    if (!isChanged) return before
    const changed = before.visibility === 'public' && draft.nodes.some((node) => differs(node, stored.get(node.name)))
    const bridgeOutOfSync = before.bridgeOutOfSync || changed
    const after = await updateTopology(inside, id, { ...fieldsOf(draft.document), bridgeOutOfSync })
    await audit(inside, ofTopology(before, after))
    return after
  })
}

/** Is it what is stored already? Also as what a value goes back to when it is reset. */
function isSaved({ document, nodes }: Draft, before: Topology, stored: ReadonlyMap<string, Node>): boolean {
  const isStored = (node: DraftNode): boolean => {
    const known = stored.get(node.name)
    return known?.inDraft === true && !differs(node, known) && isDeepStrictEqual(known.drawn, node.drawn)
  }
  return isDeepStrictEqual(JSON.parse(JSON.stringify(document)), before.document) && nodes.every(isStored)
}

function fieldsOf(document: TopologyDocument) {
  const { name, description = null, labels = {} } = document
  return { name, description, labels, document: { ...document } }
}

export interface Draft {
  readonly document: TopologyDocument
  readonly nodes: readonly DraftNode[]
}

function isEvent(type: string): boolean {
  return (eventNodeTypes as readonly string[]).includes(type)
}

/** The draft that comes of saving a document over what is stored. Pure. */
export function fillIn(document: TopologyDocument, stored: ReadonlyMap<string, StoredValues>): Draft {
  const nodes = document.nodes.map((node) => draftNode(node, stored.get(node.name)))
  const filled = document.nodes.map((node, i) => withValues(node, nodes[i] as DraftNode))
  return { document: { ...document, nodes: filled }, nodes }
}

function draftNode(node: DocumentNode, stored: StoredValues | undefined): DraftNode {
  const { name, type } = node
  const drawn = drawnOf(node)
  const keep = <K extends keyof DrawnValues>(key: K) => drawn[key] ?? (stored?.[key] as DrawnValues[K]) ?? null
  const none = { prefetch: null, timeoutMs: null, retry: null, inPlaceMaxMs: null, onFail: null, ...noSchedule }
  if (isEvent(type)) {
    const schedule = type === 'cron' && { cron: keep('cron'), timezone: keep('timezone'), missed: keep('missed') }
    const overlap = type === 'cron' || type === 'start' ? keep('overlap') : null
    return { name, type, drawn, ...none, ...schedule, overlap, enabled: node.enabled ?? stored?.enabled ?? true }
  }
  return {
    name,
    type,
    drawn,
    prefetch: keep('prefetch'),
    timeoutMs: keep('timeoutMs'),
    retry: keep('retry'),
    inPlaceMaxMs: keep('inPlaceMaxMs'),
    onFail: keep('onFail'),
    ...noSchedule,
    enabled: true,
  }
}

const noSchedule = { cron: null, timezone: null, overlap: null, missed: null }

function drawnOf({ prefetch, timeoutMs, retry, inPlaceMaxMs, onFail, ...others }: DocumentNode): DrawnValues {
  const { cron, timezone, overlap, missed } = others
  const values = { prefetch, timeoutMs, retry, inPlaceMaxMs, onFail, cron, timezone, overlap, missed }
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}

/** The document's node with the stored values that aren't defaults. */
function withValues(node: DocumentNode, { retry, enabled, ...stored }: StoredValues): DocumentNode {
  const { prefetch, timeoutMs, inPlaceMaxMs, onFail, cron, timezone, overlap, missed } = stored
  return {
    ...node,
    ...(prefetch !== null && { prefetch }),
    ...(timeoutMs !== null && { timeoutMs }),
    ...(retry !== null && { retry: retry as DocumentNode['retry'] }),
    ...(inPlaceMaxMs !== null && { inPlaceMaxMs }),
    ...(onFail !== null && { onFail }),
    ...(cron !== null && { cron }),
    ...(timezone !== null && { timezone }),
    ...(overlap !== null && { overlap }),
    ...(missed !== null && { missed }),
    ...((node.enabled !== undefined || !enabled) && isEvent(node.type) && { enabled }),
  }
}

function differs(node: StoredValues, stored: StoredValues | undefined): boolean {
  const values = (of: StoredValues) =>
    JSON.stringify([
      ...[of.prefetch, of.timeoutMs, of.retry, of.inPlaceMaxMs, of.onFail, of.enabled],
      ...[of.cron, of.timezone, of.overlap, of.missed],
    ])
  return stored !== undefined && values(node) !== values(stored)
}

type RetryChange = { readonly [K in keyof RetryPolicy]?: RetryPolicy[K] | null }

/** Null takes a value, or a field of `retry`, back to what the document said when it was saved last. */
export type NodeChange = Partial<Omit<StoredValues, 'retry'>> & { readonly retry?: RetryChange | null }

/** A pause or its end; bridges keep it, and are told before the change is final. Reasons; null: not paused. */
export interface PauseChange {
  readonly before: string | null
  readonly after: string | null
  /** Until when the worker asked to wait (429), where this ends it. */
  readonly lifted: string | null
  readonly tell: () => Promise<void>
}

/**
 * Stores values of one node, and marks the topology, also when they are what is stored already: its bridges keep the published values
 * until a republish. `pause` acts at once. Throws `NotFound`, `LostRace`, `Invalid` for what the node's type doesn't have.
 */
export async function changeNode(
  { store, audit }: Pick<Deps, 'store' | 'audit'>,
  id: string,
  change: NodeChange,
  ifVersion: number | null,
  pause: PauseChange | null,
): Promise<{ node: Node; topology: Topology }> {
  return store.transaction(async (inside) => {
    const { topologyId } = await getNode(inside, id)
    const topology = await lockTopology(inside, topologyId, null)
    // Only now does nobody else change it: what was read before the lock may be old.
    const before = await getNode(inside, id)
    refuseLate(before, ifVersion)
    checkChange(before, change, draftOf(topology))
    const values = changedOnly(before, valuesAfter(before, change))
    const isChanged = Object.keys(values).length > 0
    const node = isChanged || pause ? await updateNode(inside, id, values, ifVersion) : before
    const update = { ...(isChanged && { document: withNode(topology.document, node, values) }), bridgeOutOfSync: true }
    const isMarked = isChanged || (Object.keys(change).length > 0 && !topology.bridgeOutOfSync)
    const after = isMarked ? await updateTopology(inside, topologyId, update) : topology
    await audit(inside, isChanged || pause ? ofNode(before, node, pause) : ofTopology(topology, after))
    await pause?.tell()
    return { node, topology: after }
  })
}

const workerValues = ['prefetch', 'timeoutMs', 'retry', 'inPlaceMaxMs', 'onFail'] as const

/** What is stored afterwards of the values that are changed. */
function valuesAfter(node: Node, { retry, ...change }: NodeChange): Partial<StoredValues> {
  const values = Object.entries(change).map(([key, value]) => [
    key,
    value ?? node.drawn[key as keyof DrawnValues] ?? null,
  ])
  const policy = retry === undefined ? {} : { retry: retryAfter(node, retry) }
  return { ...(Object.fromEntries(values) as Partial<StoredValues>), ...policy }
}

/** Throws `LostRace`. */
function refuseLate({ name, version }: Node, ifVersion: number | null): void {
  if (ifVersion === null || version === ifVersion) return
  throw new LostRace(`the node "${name}" was changed since it was read (now version ${version})`)
}

function changedOnly(node: Node, values: Partial<StoredValues>): Partial<StoredValues> {
  return Object.fromEntries(
    Object.entries(values).filter(([key, value]) => !isDeepStrictEqual(node[key as keyof Node], value)),
  )
}

function retryAfter({ retry, drawn }: Node, change: RetryChange | null): Node['retry'] {
  if (change === null) return drawn.retry ?? null
  const fields = Object.keys(change) as (keyof RetryPolicy)[]
  const changed = fields.map((field) => [field, change[field] ?? drawn.retry?.[field]] as const)
  const after = [...new Map<string, unknown>([...Object.entries(retry ?? {}), ...changed])].filter(
    ([, value]) => value !== undefined,
  )
  return after.length === 0 ? null : Object.fromEntries(after)
}

function checkChange(node: Node, change: NodeChange, draft: TopologyDocument): void {
  const { name, type } = node
  const event = isEvent(type)
  const foreign = event ? workerValues : (['enabled'] as const)
  const faults = [...foreign, ...foreignSchedule(type)]
    .filter((key) => change[key] !== undefined)
    .map((key) => ({
      path: key,
      message: `${name} is a ${type} node, which has no ${key}${key === 'enabled' ? ': pause it instead' : ''}`,
    }))
  const { partitions = 1 } = draft.nodes.find((each) => each.name === name) ?? {}
  const lanes = event ? null : prefetchFault(name, partitions, change.prefetch ?? 1)
  const block = event ? null : blockFaultAfter(node, change)
  const retry = event ? null : retryFault(retryAfter(node, change.retry ?? {}))
  const all = [
    ...faults,
    ...(retry === null ? [] : [{ path: 'retry.maxMs', message: retry }]),
    ...scheduleFaults(type, change),
    ...(lanes === null ? [] : [{ path: 'prefetch', message: lanes }]),
    ...(block === null ? [] : [{ path: change.onFail === undefined ? 'prefetch' : 'onFail', message: block }]),
  ]
  if (all.length > 0) throw new Invalid(all[0]?.message ?? '', all)
}

const scheduleValues = ['cron', 'timezone', 'missed', 'overlap'] as const

/** What decides of other nodes when they are started. */
function foreignSchedule(type: string): readonly (typeof scheduleValues)[number][] {
  if (type === 'cron') return []
  return type === 'start' ? scheduleValues.filter((key) => key !== 'overlap') : scheduleValues
}

function scheduleFaults(type: string, { cron, timezone }: NodeChange): Fault[] {
  if (type !== 'cron') return []
  const faults = [
    { path: 'cron', message: typeof cron === 'string' ? cronFault(cron) : null },
    { path: 'timezone', message: typeof timezone === 'string' ? timezoneFault(timezone) : null },
  ]
  return faults.flatMap(({ path, message }) => (message === null ? [] : [{ path, message }]))
}

/** Only of a change of one of the two: another one is no reason to refuse what is stored. */
function blockFaultAfter(node: Node, change: NodeChange): string | null {
  if (change.prefetch === undefined && change.onFail === undefined) return null
  const { prefetch, onFail } = { ...node, ...valuesAfter(node, change) }
  return blockFault(node.name, prefetch ?? 1, onFail ?? 'skip')
}

function withNode(document: Topology['document'], node: Node, changed: Partial<StoredValues>): Topology['document'] {
  const draft = draftOf({ document })
  const isReset = (key: string): boolean => changed[key as keyof StoredValues] === null
  const kept = (each: DocumentNode) =>
    Object.fromEntries(Object.entries(each).filter(([key]) => !isReset(key))) as DocumentNode
  const nodes = draft.nodes.map((each) => (each.name === node.name ? withValues(kept(each), node) : each))
  return { ...draft, nodes }
}

/** A stored draft was checked when it was saved. */
export function draftOf({ document }: Pick<Topology, 'document'>): TopologyDocument {
  return document as unknown as TopologyDocument
}
