/**
 * What runs while faults are injected: a topology with every kind of node, what its worker answers and how it misbehaves, and what
 * must come out. All of it is a pure function of the seed and of what was asked.
 *
 *   begin ─▶ pages ─┬▶ chain-1 ─▶ chain-2 ─▶ chain-3      ordered; some go to Trash at chain-2
 *                   ├▶ fork ─┬▶ left ──┬▶ join            parallel, a diamond
 *   double ─────────┤        └▶ right ─┘
 *   (chain-1, fork) ├▶ fan ─▶ leaf                        ordered splits, another answer at every call
 *                   ├▶ flaky ─▶ sift ─▶ end               delays; a filter; Trash; `end` is out of the graph now and then
 *                   └▶ keyed ─▶ keyed-end                 lanes by key
 */
import { hash } from 'node:crypto'
import type { TopologyDocument } from '../../runtime/topology/schema.ts'

export const topologyName = 'faults'
export const workerName = 'recorder'

const retry = { attempts: 60, backoff: 'fixed', baseMs: 100, maxMs: 100 } as const
const usual = { worker: workerName, timeoutMs: 2_000, retry }
const ordered = { ...usual, prefetch: 1, inPlaceMaxMs: 600_000 }
/** Takes calls that last longer than a lease and than most outages. */
const patient = { timeoutMs: 20_000 }

const nodes: TopologyDocument['nodes'] = [
  { name: 'begin', type: 'start' },
  { name: 'double', type: 'start' },
  { name: 'pages', type: 'batch', emit: 'records', ...ordered },
  { name: 'chain-1', type: 'custom', ...ordered },
  { name: 'chain-2', type: 'connector', ...ordered, ...patient },
  { name: 'chain-3', type: 'connector', ...ordered },
  { name: 'fork', type: 'custom', ...usual, prefetch: 4 },
  { name: 'left', type: 'custom', ...usual, ...patient, prefetch: 4 },
  { name: 'right', type: 'custom', ...usual, prefetch: 2 },
  { name: 'join', type: 'connector', ...usual, prefetch: 5 },
  { name: 'fan', type: 'custom', ...ordered },
  { name: 'leaf', type: 'connector', ...ordered },
  // One takes the key from the body, the other what the first one's worker set.
  { name: 'keyed', type: 'custom', ...ordered, partitions: 4, partitionKey: '/key' },
  { name: 'keyed-end', type: 'connector', ...ordered, partitions: 3 },
  { name: 'flaky', type: 'connector', ...usual, prefetch: 5 },
  { name: 'sift', type: 'custom', ...usual, prefetch: 3 },
  { name: 'end', type: 'connector', ...usual, prefetch: 4 },
]

const edges = [
  ['begin', 'pages'],
  ['double', 'chain-1'],
  ['double', 'fork'],
  ['pages', 'chain-1'],
  ['pages', 'fork'],
  ['pages', 'fan'],
  ['pages', 'flaky'],
  ['pages', 'keyed'],
  ['chain-1', 'chain-2'],
  ['chain-2', 'chain-3'],
  ['fork', 'left'],
  ['fork', 'right'],
  ['left', 'join'],
  ['right', 'join'],
  ['fan', 'leaf'],
  ['keyed', 'keyed-end'],
  ['flaky', 'sift'],
  ['sift', 'end'],
].map(([from = '', to = '']) => ({ from, to }))

/** What deeds change. */
export interface Shape {
  /** Lanes of `keyed`. */
  readonly partitions: number
  /** By node: other values than those above. */
  readonly prefetch: ReadonlyMap<string, number>
  /** A leaf that is out. */
  readonly without: string | null
}

export const firstShape: Shape = { partitions: 4, prefetch: new Map(), without: null }

export function topologyOf({ partitions, prefetch, without }: Shape): TopologyDocument {
  const changed = nodes.flatMap((node) => {
    if (node.name === without) return []
    const value = prefetch.get(node.name)
    const plain = value === undefined ? node : { ...node, prefetch: value }
    return [node.name === 'keyed' ? { ...plain, partitions } : plain]
  })
  return { name: topologyName, nodes: changed, edges: edges.filter(({ to }) => to !== without) }
}

/** Nodes whose prefetch may be changed, from 1 to what it is here: the order of their messages is nobody's business. */
export const parallel: ReadonlyMap<string, number> = new Map(
  nodes.flatMap(({ name, prefetch = 1 }) => (prefetch > 1 ? [[name, prefetch] as const] : [])),
)
/** Lanes that `keyed` gets; while the old ones are emptied as many messages as these allowed may be at workers besides. */
export const otherPartitions = 6
/** A node behind which nothing comes: when it is paused everything else goes on. */
export const lastNode = 'keyed-end'
/** A leaf that can be taken out of the graph. */
export const removable = 'end'
/** Nodes at which messages end in Trash. */
export const refusing: readonly string[] = ['chain-2', 'sift']

/** Messages that may be at workers at once, at all nodes together. */
export const atOnce = nodes.reduce(
  (sum, { name, prefetch = 0, partitions = 0 }) =>
    sum + Math.max(prefetch, partitions) + (name === 'keyed' ? otherPartitions : 0),
  0,
)
export const orderedNodes: readonly string[] = nodes.filter(({ prefetch }) => prefetch === 1).map(({ name }) => name)
/** Of these the nodes that keep the order of each key only. */
export const keyedNodes: readonly string[] = nodes
  .filter(({ partitions }) => partitions !== undefined)
  .map(({ name }) => name)

/** Key of a record at a keyed node. */
const keyOf = (n: number): string => `key-${n % 5}`

/** Body of every message after `pages`. */
export interface Item {
  readonly run: number
  readonly n: number
  readonly key: string
  /** It was edited in Trash, and is taken when it comes again. */
  readonly mended?: boolean
  /** Which call of the worker made it. */
  readonly by?: string
  /** Of what `fan` made: the how-manieth of how many. */
  readonly part?: number
  readonly of?: number
}

/** One start; its body is this as JSON, for `double` with an `n`. */
export interface Start {
  readonly run: number
  readonly node: 'begin' | 'double'
  readonly pages: number
  readonly size: number
}

/** Sizes around that from which a page is published as an atomic batch (50 messages to five followers). */
const sizes = [3, 14, 5, 8] as const

export function startOf(run: number): Start {
  if (run % 5 === 4) return { run, node: 'double', pages: 1, size: 1 }
  return { run, node: 'begin', pages: 1 + (run % 3), size: sizes[run % sizes.length] ?? 3 }
}

export function bodyOf(start: Start): string {
  return JSON.stringify(start.node === 'double' ? { run: start.run, n: 0, key: keyOf(0) } : start)
}

const isRefused = (n: number): boolean => n % 11 === 7
const isRubbish = (n: number): boolean => n % 7 === 3
export const isSifted = (n: number): boolean => n % 5 === 1

/** Which records of a start must come to each node, in this order where it is ordered; `fan` decides how many come to `leaf`. */
export function expectedAt({ node, pages, size }: Start): ReadonlyMap<string, readonly number[]> {
  const all = Array.from({ length: pages * size }, (_, n) => n)
  const both = new Map([
    ['chain-1', all],
    ['chain-2', all],
    ['chain-3', all.filter((n) => !isRefused(n))],
    ['fork', all],
    ['left', all],
    ['right', all],
    ['join', all.flatMap((n) => [n, n])],
  ])
  if (node === 'double') return both
  const rest: [string, number[]][] = [
    ['fan', all],
    ['flaky', all],
    ['keyed', all],
    ['keyed-end', all],
    ['sift', all],
    ['end', all.filter((n) => !isRubbish(n) && !isSifted(n))],
  ]
  return new Map([...both, ...rest])
}

/** How many messages of a start must be in Trash. */
export function expectedInTrash({ node, pages, size }: Start): number {
  const all = Array.from({ length: pages * size }, (_, n) => n)
  return all.filter(isRefused).length + (node === 'double' ? 0 : all.filter(isRubbish).length)
}

/** What a call asked. */
export interface Asked {
  readonly node: string
  readonly idempotencyKey: string
  /** 1-based. */
  readonly attempt: number
  readonly cursor: string | undefined
  readonly body: string
}

export interface Answered {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** `call` is unique to this call: what was answered differs from call to call. */
export function answerTo(asked: Asked, call: string): Answered {
  if (asked.node === 'pages') return page(JSON.parse(asked.body) as Start, Number(asked.cursor ?? 0), call)
  const item = JSON.parse(asked.body) as Item
  switch (asked.node) {
    case 'fan':
      return fanned(item, call)
    case 'chain-3':
    case 'join':
    case 'leaf':
    case 'end':
    case 'keyed-end':
      return { status: 204, headers: {}, body: '' }
    case 'chain-2':
      return isRefused(item.n) && item.mended !== true ? refused : passed(item, call)
    case 'sift':
      if (isRubbish(item.n) && item.mended !== true) return refused
      return isSifted(item.n) ? { status: 204, headers: {}, body: '' } : passed(item, call)
    case 'keyed':
      return passed(item, call, { 'ce-partitionkey': item.key })
    case 'flaky':
      return asked.attempt <= 2 && (item.run + item.n) % 5 === 0 ? failed : passed(item, call)
    default:
      return passed(item, call)
  }
}

const json = { 'content-type': 'application/json' }
const refused: Answered = { status: 422, headers: json, body: '{"title":"refused"}' }
const failed: Answered = { status: 500, headers: json, body: '{"title":"not now"}' }

function passed(item: Item, by: string, headers: Answered['headers'] = {}): Answered {
  return { status: 200, headers: { ...json, ...headers }, body: JSON.stringify({ ...item, by }) }
}

const itemOf = (run: number, n: number, by: string): Item => ({ run, n, key: keyOf(n), by })

function page({ run, pages, size }: Start, index: number, by: string): Answered {
  const items = Array.from({ length: size }, (_, offset) => itemOf(run, index * size + offset, by))
  const cursor: Record<string, string> = index + 1 < pages ? { 'sluice-cursor': String(index + 1) } : {}
  return { status: 200, headers: { ...json, ...cursor }, body: JSON.stringify(items) }
}

/** One to four messages: one goes straight on, several are split. */
function fanned(item: Item, by: string): Answered {
  const of = 1 + Math.floor(chance('fan', by) * 4)
  const parts = Array.from({ length: of }, (_, part) => ({ ...item, by, part, of }))
  if (of === 1) return { status: 200, headers: json, body: JSON.stringify(parts[0]) }
  return { status: 200, headers: { ...json, 'sluice-emit': 'records' }, body: JSON.stringify(parts) }
}

/** How a call goes wrong; null: it doesn't. */
export type Mischief =
  | { readonly kind: 'hang' | 'half' | 'garbage' | 'hang-up' }
  | { readonly kind: 'status'; readonly answer: Answered }
  | { readonly kind: 'late'; readonly afterMs: number }

const busy = (status: number): Answered => ({ status, headers: { ...json, 'retry-after': '1' }, body: '{}' })

/**
 * Only the first two calls of each kind go wrong (`nth` counts them), so that nothing gets to Trash by it and no wait is for ever.
 * `amount` 1 is usual, 0 is none.
 */
export function mischiefOf(
  seed: number,
  { node, idempotencyKey }: Asked,
  nth: number,
  amount: number,
): Mischief | null {
  if (nth > 2) return null
  const isPatient = node === 'left' || node === 'chain-2'
  let drawn = chance(String(seed), `${idempotencyKey}/${nth}`) / Math.max(amount, Number.MIN_VALUE)
  const kinds: readonly (readonly [share: number, mischief: Mischief])[] = [
    [0.003, isPatient ? { kind: 'late', afterMs: 6_500 } : { kind: 'hang' }],
    [0.006, { kind: 'half' }],
    [0.006, { kind: 'garbage' }],
    [0.006, { kind: 'hang-up' }],
    [0.008, { kind: 'status', answer: failed }],
    [0.003, { kind: 'status', answer: busy(503) }],
    [0.002, { kind: 'status', answer: busy(429) }],
    [0.02, { kind: 'late', afterMs: 300 }],
  ]
  for (const [share, mischief] of kinds) if ((drawn -= share) < 0) return mischief
  return null
}

/** A number from 0 to 1 that belongs to these texts. */
function chance(...texts: readonly string[]): number {
  return Number.parseInt(hash('sha256', texts.join('\n')).slice(0, 8), 16) / 0x1_0000_0000
}
