import { expect } from 'vitest'
import type { Seen } from '../support/fake-worker.ts'

/** One record of a customer: what lanes keep in order. */
interface Item {
  readonly customer: string
  readonly n: number
}

/** Numbered from `first` on, in turn of each of the customers. */
export const items = (count: number, customers: number, first = 0): Item[] =>
  Array.from({ length: count }, (_, n) => ({ customer: `c${n % customers}`, n: first + n }))

export const itemOf = ({ body }: Seen): Item => JSON.parse(body) as Item

/** Numbers by customer, in the order of their last calls: the ones by which they were settled. */
function settledOrder(seen: readonly Seen[], node: string): Map<string, number[]> {
  const order = new Map<string, Set<number>>()
  for (const request of seen.filter((one) => one.node === node)) {
    const { customer, n } = itemOf(request)
    const numbers = order.get(customer) ?? new Set<number>()
    order.set(customer, numbers)
    numbers.delete(n)
    numbers.add(n)
  }
  return new Map([...order].map(([customer, numbers]) => [customer, [...numbers]]))
}

/** So many items came to the node, and those of each customer in order. */
export function expectInOrder(seen: readonly Seen[], node: string, count: number): void {
  const order = settledOrder(seen, node)
  for (const [customer, numbers] of order) {
    expect([customer, numbers]).toEqual([customer, numbers.toSorted((a, b) => a - b)])
  }
  expect([...order.values()].flat()).toHaveLength(count)
}
