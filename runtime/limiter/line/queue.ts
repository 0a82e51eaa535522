import { Stopped } from '../../errors.ts'
import type { Permit } from '../permits.ts'

export interface Waiting {
  /** Who takes turns with others: a node, or a tenant in a node. Before all of them comes who is `urgent`. */
  readonly turn: string
  /** Its node, where `turn` is something else. */
  readonly nodeId?: string | undefined
  readonly cost: number
  /** It needn't wait here: it can be put off. */
  readonly mayLeave: boolean
  /** How often it was put off before. */
  readonly timesAway: number
  /** It is to be put off as soon as can be, since it takes a place that others need. */
  readonly mustLeave: boolean
  /** Called when it will have its permit in a moment; perhaps several times. */
  readonly soon?: (() => void) | undefined
}

/** `turn`: to be put off until then. Both by the server's clock. */
export type Leave = { readonly kind: 'permit' | 'turn'; readonly at: number }

export interface Waiter extends Omit<Waiting, 'mustLeave'> {
  mustLeave: boolean
  leave(leave: Leave): void
}

/** Has a permit of another key for this very moment. */
export const urgent = 'urgent'

/** Those who wait for permits of one key, node by node in turn, and first come, first served within a node. */
export class Queue {
  /** In the order in which nodes have their turn. */
  readonly #nodes = new Map<string, Set<Waiter>>()
  #length = 0
  #leavable = 0
  #evicted = 0

  get length(): number {
    return this.#length
  }

  get nodes(): number {
    return this.#nodes.size
  }

  /** Is there anybody who may be put off? */
  get mayLeave(): boolean {
    return this.#leavable > 0
  }

  /** Rejects with `Stopped` when the signal aborts. */
  join(waiting: Waiting, signal: AbortSignal): Promise<Leave> {
    return new Promise((resolve, reject) => {
      const out = (): void => {
        signal.removeEventListener('abort', stopped)
        this.#remove(waiter)
      }
      const stopped = (): void => {
        out()
        reject(new Stopped('waiting for a permit ended'))
      }
      const waiter: Waiter = {
        ...waiting,
        leave: (leave) => {
          out()
          resolve(leave)
        },
      }
      this.#add(waiter)
      if (signal.aborted) stopped()
      else signal.addEventListener('abort', stopped)
    })
  }

  /** Whose turn it is to have a permit of this cost; its node's next turn comes after all others. */
  next(cost: number): Waiter | null {
    const [hurried] = firstOf(this.#nodes.get(urgent) ?? none, 1)
    if (hurried?.cost === cost) return hurried
    for (const [turn, waiters] of this.#nodes) {
      const [first] = firstOf(waiters, 1)
      if (first?.cost !== cost) continue
      this.#nodes.delete(turn)
      this.#nodes.set(turn, waiters)
      return first
    }
    return null
  }

  /** Permits come in a moment: told to the first of each node, since what it does for it serves the others, too. */
  announce(): void {
    for (const waiters of this.#nodes.values()) for (const { soon } of firstOf(waiters, 1)) soon?.()
  }

  /** Costs of the next `perNode` of each node, node by node in turn, without those for which there is a permit in `reserved`. */
  wanted(perNode: number, reserved: readonly Permit[]): number[] {
    const there = countsOf(reserved)
    const lists = [...this.#nodes].map(([turn, waiters]) => firstOf(waiters, turn === urgent ? Infinity : perNode))
    const longest = Math.max(0, ...lists.map((list) => list.length))
    const costs: number[] = []
    for (let place = 0; place < longest; place++)
      for (const list of lists) {
        const cost = list[place]?.cost
        if (cost !== undefined && !takeOne(there, cost)) costs.push(cost)
      }
    return costs
  }

  /** Those who come for the first time and may be put off. */
  newcomers(): Waiter[] {
    return this.#all().filter((waiter) => isNew(waiter) && !waiter.mustLeave)
  }

  /** Those who must leave. */
  evicted(): Waiter[] {
    return this.#evicted === 0 ? [] : this.#all().filter(({ mustLeave }) => mustLeave)
  }

  /** Those of a node that stay. */
  countIn(nodeId: string): number {
    let count = 0
    for (const { mustLeave } of this.#nodes.get(nodeId) ?? []) if (!mustLeave) count++
    return count
  }

  hasNew(nodeId: string): boolean {
    for (const waiter of this.#nodes.get(nodeId) ?? []) if (isNew(waiter) && !waiter.mustLeave) return true
    return false
  }

  /** Of a node: the newest one must leave, of those that were not put off before, if there are any. */
  evictNewest(nodeId: string): void {
    const leavable = [...(this.#nodes.get(nodeId) ?? [])].filter(({ mayLeave, mustLeave }) => mayLeave && !mustLeave)
    const last = leavable.findLast(isNew) ?? leavable.at(-1)
    if (last === undefined) return
    last.mustLeave = true
    this.#evicted++
  }

  /** Those who stay and have none of these permits, in order. */
  unserved(permits: readonly Permit[], areNewLast: boolean): Waiter[] {
    const there = countsOf(permits)
    const staying = this.#all().filter(({ mustLeave }) => !mustLeave)
    const inOrder = areNewLast ? [...staying.filter((one) => !isNew(one)), ...staying.filter(isNew)] : staying
    return inOrder.filter(({ cost }) => !takeOne(there, cost))
  }

  /** Does somebody wait for a permit of this cost? */
  hasCost(cost: number): boolean {
    return this.#all().some((waiter) => waiter.cost === cost)
  }

  #all(): Waiter[] {
    return [...this.#nodes.values()].flatMap((waiters) => [...waiters])
  }

  #add(waiter: Waiter): void {
    const waiters = this.#nodes.get(waiter.turn) ?? new Set()
    waiters.add(waiter)
    this.#nodes.set(waiter.turn, waiters)
    this.#length++
    if (waiter.mayLeave) this.#leavable++
    if (waiter.mustLeave) this.#evicted++
  }

  #remove(waiter: Waiter): void {
    const waiters = this.#nodes.get(waiter.turn)
    if (waiters?.delete(waiter) !== true) return
    this.#length--
    if (waiter.mayLeave) this.#leavable--
    if (waiter.mustLeave) this.#evicted--
    if (waiters.size === 0) this.#nodes.delete(waiter.turn)
  }
}

const none: ReadonlySet<Waiter> = new Set()

function firstOf(waiters: ReadonlySet<Waiter>, count: number): Waiter[] {
  const first: Waiter[] = []
  for (const waiter of waiters) {
    if (first.length >= count) break
    if (!waiter.mustLeave) first.push(waiter)
  }
  return first
}

const isNew = ({ mayLeave, timesAway }: Waiter): boolean => mayLeave && timesAway === 0

/** How many there are of each cost. */
function countsOf(permits: readonly Permit[]): Map<number, number> {
  const counts = new Map<number, number>()
  for (const { cost } of permits) counts.set(cost, (counts.get(cost) ?? 0) + 1)
  return counts
}

/** False: there was none left. */
function takeOne(counts: Map<number, number>, cost: number): boolean {
  const left = counts.get(cost) ?? 0
  if (left > 0) counts.set(cost, left - 1)
  return left > 0
}
