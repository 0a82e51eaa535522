import { Fail } from '@sluiceway/worker'

/** A line of an order file, as it is written there. */
export interface Line {
  readonly line: number
  readonly id: string
  readonly article: string
  readonly quantity: string
}

export interface Order {
  readonly line: number
  readonly id: string
  readonly article: string
  readonly quantity: number
}

export interface PricedOrder extends Order {
  readonly title: string
  /** In cents. */
  readonly total: number
}

/** Articles of the shop: what a real one would ask a service for. Prices in cents. */
const articles: Readonly<Record<string, { readonly title: string; readonly price: number }>> = {
  'A-1': { title: 'Valve', price: 1_250 },
  'A-2': { title: 'Gate', price: 48_000 },
  'B-7': { title: 'Seal', price: 90 },
}

/** One record for each line that isn't empty; the first line names the columns. */
export function parse(text: string): Line[] {
  const [, ...lines] = text.split(/\r?\n/)
  return lines.flatMap((content, index) => {
    if (content.trim() === '') return []
    const [id = '', article = '', quantity = ''] = content.split(';')
    return [{ line: index + 2, id, article, quantity }]
  })
}

/** Without stray space, and numbers as numbers. */
export function normalise({ line, id, article, quantity }: Line): Order {
  return { line, id: id.trim(), article: article.trim().toUpperCase(), quantity: Number(quantity.trim() || Number.NaN) }
}

/** Throws `Fail` with the line of the file: a person sees in Trash what to mend. */
export function validate(order: Order): Order {
  const { line, id, article, quantity } = order
  if (!/^[\w-]{1,40}$/.test(id)) throw new Fail(`Line ${line} has no usable id.`, { title: 'Bad order id' })
  if (!Number.isInteger(quantity) || quantity < 1)
    throw new Fail(`Line ${line} asks for a quantity that is no whole number above 0.`, { title: 'Bad quantity' })
  if (articles[article] === undefined) throw new Fail(`Line ${line}: ${article}`, { title: 'Unknown article' })
  return order
}

export function enrich(order: Order): PricedOrder {
  const { title, price } = articles[order.article] ?? { title: order.article, price: 0 }
  return { ...order, title, total: price * order.quantity }
}
