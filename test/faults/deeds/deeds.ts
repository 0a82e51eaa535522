/** What people do over the API while faults are injected: what, when and to what is a pure function of the seed. */
import { firstShape, otherPartitions, parallel, removable } from '../model.ts'
import { randomOf, weighed } from '../random.ts'

export type Deed = { readonly atMs: number } & (
  | { readonly kind: 'cancel'; readonly which: Which }
  /** Mended: it is edited before, so that it is taken when it comes again. */
  | { readonly kind: 'replay'; readonly which: Which; readonly isMended: boolean }
  /** Node null: the topology. */
  | { readonly kind: 'pause'; readonly node: string | null; readonly forMs: number }
  | { readonly kind: 'prefetch'; readonly node: string; readonly prefetch: number }
  | { readonly kind: 'partitions'; readonly partitions: number }
  /** The leaf of the model, out of the graph and back. */
  | { readonly kind: 'remove'; readonly inFlight: 'drain' | 'trash'; readonly forMs: number }
)

/** From 0 to 1: which of those that are there then. */
type Which = number

const meanGapMs = 2_500
const pausable = [null, 'pages', 'chain-2', 'left', 'fan', 'keyed', 'flaky'] as const
const changeable = [...parallel.keys()].filter((name) => name !== removable)

/** Deeds at random for so long. */
export function randomDeeds(seed: number, durationMs: number): Deed[] {
  const random = randomOf(seed ^ 0xdeed)
  const gap = (): number => Math.round(meanGapMs * (0.25 + 1.5 * random()))
  const deeds: Deed[] = []
  for (let atMs = gap(); atMs < durationMs; atMs += gap()) deeds.push(draw(random, atMs))
  return deeds
}

/** Each once, in ten seconds. */
export function everyDeed(): Deed[] {
  return [
    { atMs: 500, kind: 'partitions', partitions: otherPartitions },
    { atMs: 1_000, kind: 'cancel', which: 0 },
    { atMs: 2_000, kind: 'replay', which: 0, isMended: true },
    { atMs: 3_000, kind: 'pause', node: 'chain-2', forMs: 1_000 },
    { atMs: 4_000, kind: 'prefetch', node: 'join', prefetch: 1 },
    { atMs: 5_000, kind: 'remove', inFlight: 'trash', forMs: 1_000 },
    { atMs: 6_000, kind: 'replay', which: 0.5, isMended: false },
    { atMs: 8_000, kind: 'cancel', which: 0.5 },
    { atMs: 9_000, kind: 'pause', node: null, forMs: 500 },
    { atMs: 9_500, kind: 'partitions', partitions: firstShape.partitions },
  ]
}

/** One deed on one line, as it is printed. */
export function tellDeed(deed: Deed): string {
  switch (deed.kind) {
    case 'cancel':
      return 'cancel a run'
    case 'replay':
      return `replay ${deed.isMended ? 'and mend ' : ''}a message in Trash`
    case 'pause':
      return `pause ${deed.node ?? 'the topology'} for ${deed.forMs} ms`
    case 'prefetch':
      return `prefetch ${deed.prefetch} for ${deed.node}`
    case 'partitions':
      return `${deed.partitions} partitions`
    case 'remove':
      return `take a node out for ${deed.forMs} ms (${deed.inFlight})`
    default:
      return deed satisfies never
  }
}

function draw(random: () => number, atMs: number): Deed {
  const one = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T
  const between = (from: number, to: number): number => Math.round(from + (to - from) * random())
  const prefetch = (): Deed => {
    const node = one(changeable)
    return { atMs, kind: 'prefetch', node, prefetch: between(1, parallel.get(node) ?? 1) }
  }
  const partitions = one([firstShape.partitions, otherPartitions])
  const inFlight = one(['drain', 'trash'] as const)
  return weighed<Deed>(
    [
      [5, () => ({ atMs, kind: 'cancel', which: random() })],
      [6, () => ({ atMs, kind: 'replay', which: random(), isMended: random() < 0.5 })],
      [4, () => ({ atMs, kind: 'pause', node: one(pausable), forMs: between(200, 4_000) })],
      [5, prefetch],
      [2, () => ({ atMs, kind: 'partitions', partitions })],
      [1, () => ({ atMs, kind: 'remove', inFlight, forMs: between(500, 5_000) })],
    ],
    random,
  )
}
