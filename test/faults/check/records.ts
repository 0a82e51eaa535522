/** The records of each start: each at each node, once, in order where it is ordered. */
import type { Stored } from './stored.ts'
import { expectedAt, isSifted } from '../model.ts'
import type { Item } from '../model.ts'
import type { Evidence, Hop, Hops, Violation } from './evidence.ts'

/** What came to the nodes of one run. */
interface Arrivals {
  /** By node, in the stream's order. */
  readonly items: ReadonlyMap<string, readonly Item[]>
  /** What was mended in Trash and replayed: no order is promised for it. */
  readonly mended: ReadonlyMap<string, readonly Item[]>
}

const nothing: Arrivals = { items: new Map(), mended: new Map() }

export function checkRecords(evidence: Evidence, hops: Hops): Violation[] {
  const { starts, ordered, keyed, asked } = evidence
  const arrivals = arrivalsOf(hops)
  const cancelled = cancelledRuns(evidence.stored)
  return [...starts].flatMap(([run, start]) => {
    const { items, mended } = arrivals.get(run) ?? nothing
    const all = [...expectedAt(start)].map(([node, wanted]) => ({ node, wanted }))
    const plain = all.flatMap(({ node, wanted }) => {
      const where = `run ${run} at ${node}`
      const mayLack = cancelled.has(run) || asked.removed.has(node)
      const found = items.get(node) ?? []
      return [
        ...compare(where, wanted, found, mayLack),
        ...compare(`${where}, mended`, mendedAt(node, hops, run), mended.get(node) ?? [], mayLack),
        ...inOrder(where, found, ordered.includes(node), keyed.includes(node)),
      ]
    })
    const leaves = items.get('leaf') ?? []
    const where = `run ${run} at leaf`
    const fanned = (expectedAt(start).get('fan') ?? []).filter(
      (n) => !cancelled.has(run) || leaves.some((leaf) => leaf.n === n),
    )
    return [...plain, ...checkParts(where, fanned, leaves), ...inOrder(where, leaves, true, false)]
  })
}

/** Runs of which something settled as cancelled: what would have followed from it doesn't come. */
function cancelledRuns(stored: readonly Stored[]): Set<string> {
  return new Set(stored.flatMap(({ record, run }) => (record?.kind === 'ended' && record.cancelled ? [run] : [])))
}

/** Inputs that came by a replay; one that was delayed since is the same one again. */
export const isReplay = ({ input }: Hop): boolean => (input.message?.replay ?? 0) > 0

function arrivalsOf({ all }: Hops): Map<string, Arrivals> {
  const runs = new Map<string, { items: Map<string, Item[]>; mended: Map<string, Item[]> }>()
  for (const hop of all) {
    const { input, node } = hop
    if (input.kind === 'event' || node === 'pages' || input.isFired || isReplay(hop)) continue
    const run = runs.get(input.run) ?? { items: new Map<string, Item[]>(), mended: new Map<string, Item[]>() }
    runs.set(input.run, run)
    const item = JSON.parse(input.body) as Item
    const place = item.mended === true ? run.mended : run.items
    place.set(node, [...(place.get(node) ?? []), item])
  }
  return runs
}

/** By node: where a message that was refused there goes when it is mended. */
const behind: ReadonlyMap<string, string> = new Map([
  ['chain-2', 'chain-3'],
  ['sift', 'end'],
])

function mendedAt(node: string, { all }: Hops, run: string): number[] {
  return all.flatMap((hop) => {
    if (hop.input.run !== run || behind.get(hop.node) !== node || !isReplay(hop) || hop.input.isFired) return []
    const { n, mended } = JSON.parse(hop.input.body) as Item
    return mended === true && !(hop.node === 'sift' && isSifted(n)) ? [n] : []
  })
}

function compare(where: string, wanted: readonly number[], items: readonly Item[], mayLack: boolean): Violation[] {
  const found = items.map(({ n }) => n)
  const count = (list: readonly number[], n: number): number => list.filter((other) => other === n).length
  return [...new Set([...wanted, ...found])].flatMap((n): Violation[] => {
    const excess = count(found, n) - count(wanted, n)
    if (excess === 0 || (excess < 0 && mayLack)) return []
    const text = `record ${n} of ${where}: ${Math.abs(excess)} too ${excess > 0 ? 'many' : 'few'}`
    return [{ kind: excess > 0 ? 'doubled' : 'lost', text }]
  })
}

/** Records of one run never go backwards at an ordered node, records of one key at a keyed one. */
function inOrder(where: string, items: readonly Item[], isOrdered: boolean, isKeyed: boolean): Violation[] {
  if (!isOrdered) return []
  const lines = isKeyed ? [...new Set(items.map(({ key }) => key))] : [null]
  return lines.flatMap((key): Violation[] => {
    const found = items.filter((item) => key === null || item.key === key).map(({ n }) => n)
    const isSorted = found.every((n, index) => index === 0 || n >= (found[index - 1] ?? 0))
    return isSorted ? [] : [{ kind: 'order', text: `${where}${key === null ? '' : `, ${key}`}: ${found.join(' ')}` }]
  })
}

/** Of `fan`, which answers differently each time, one answer settled for each record: all of its parts and no other's. */
function checkParts(where: string, wanted: readonly number[], items: readonly Item[]): Violation[] {
  return wanted.flatMap((n): Violation[] => {
    const parts = items.filter((item) => item.n === n)
    const [first] = parts
    if (first?.of === undefined) return [{ kind: 'lost', text: `record ${n} of ${where} has no parts` }]
    if (parts.some(({ by }) => by !== first.by))
      return [
        {
          kind: 'doubled',
          text: `record ${n} of ${where} has parts of ${new Set(parts.map(({ by }) => by)).size} answers`,
        },
      ]
    if (parts.length === first.of && parts.every(({ part }, index) => part === index)) return []
    const kind = parts.length > first.of ? 'doubled' : parts.length < first.of ? 'lost' : 'order'
    return [
      { kind, text: `record ${n} of ${where} has parts ${parts.map(({ part }) => part).join(' ')} of ${first.of}` },
    ]
  })
}
