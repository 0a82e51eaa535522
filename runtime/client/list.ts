import type { Client } from 'openapi-fetch'
import type { paths } from './openapi.d.ts'

interface PageOf<T> {
  readonly items: T[]
  readonly next?: string | null
}

type Got<P extends keyof paths> = paths[P] extends { get: { responses: { 200: { content: infer C } } } }
  ? C extends { 'application/json': infer Page }
    ? Page
    : never
  : never

/** Paths that answer `{items}`, whether or not they have pages. */
export type ListPath = { [P in keyof paths]: Got<P> extends { items: unknown[] } ? P : never }[keyof paths]

export type ItemOf<P extends ListPath> = Got<P> extends { items: (infer T)[] } ? T : never

type Given<P extends ListPath> = paths[P] extends { get: { parameters: infer T } } ? T : never

/** Parameters of a list; its pages are walked for you. */
export type ListParams<P extends ListPath> = {
  readonly [K in 'path' | 'query' as K extends keyof Given<P> ? K : never]?: K extends keyof Given<P>
    ? Omit<NonNullable<Given<P>[K]>, 'limit' | 'after'>
    : never
}

const pageMax = 500
/** Lists that are answered whole, and know no `limit`. */
const whole: ReadonlySet<string> = new Set(['/api/topologies/{topology}/nodes'] satisfies ListPath[])

interface AnyPage {
  (path: string, init: { params: unknown }): Promise<{ data?: PageOf<unknown> }>
}

export async function* listItems<P extends ListPath>(
  client: Client<paths>,
  path: P,
  params: ListParams<P> = {},
  limit = Infinity,
): AsyncGenerator<ItemOf<P>> {
  // The path decides what is answered; here only that it is a page counts.
  const get = client.GET as unknown as AnyPage
  const given: { readonly path?: unknown; readonly query?: object } = params
  let after: string | null = null
  for (let left = limit; left > 0;) {
    const page = whole.has(path) ? {} : { limit: Math.min(pageMax, left), ...(after !== null && { after }) }
    const answer = await get(path, { params: { ...given, query: { ...given.query, ...page } } })
    const { items, next = null }: PageOf<unknown> = answer.data ?? { items: [] }
    yield* items.slice(0, left) as ItemOf<P>[]
    left -= items.length
    if (next === null) return
    after = next
  }
}
