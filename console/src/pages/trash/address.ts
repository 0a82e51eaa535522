import type { BulkFilter, TrashHead, TrashHeadState } from '../../api/engine.ts'
import { engine, dataOf } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import type { Query } from '../../parts/filters/query.ts'

import { earlier, later, timeOf } from '../../parts/filters/since.ts'
import type { Source } from '../../parts/list/book.ts'

/** What the page shows, as its address says it. */
export interface TrashAddress {
  readonly view: 'kinds' | 'messages'
  /** Of the message that is open beside the list. */
  readonly message: string | null
  readonly state: TrashHeadState | 'all'
  readonly filter: TrashFilter
}

/** As in the address: times may be ages. */
export interface TrashFilter {
  readonly topology?: string
  readonly node?: string
  readonly run?: string
  readonly fingerprint?: string
  readonly tenant?: string
  readonly since?: string
  readonly until?: string
  /** Part of the error, or of what it holds. */
  readonly text?: string
  /** `body`: the text is looked for in what messages hold. */
  readonly in?: string
}

const filterNames = [
  'topology',
  'node',
  'run',
  'fingerprint',
  'tenant',
  'since',
  'until',
  'text',
  'in',
] as const satisfies readonly (keyof TrashFilter)[]

const states = ['open', 'replayed', 'discarded', 'all'] as const

export function readAddress(query: Query): TrashAddress {
  const filter: TrashFilter = Object.fromEntries(
    filterNames.flatMap((name) => (query[name] === undefined ? [] : [[name, query[name]]])),
  )
  const message = query.message ?? null
  const isNarrow = message !== null || filter.fingerprint !== undefined || filter.run !== undefined
  const state = states.find((one) => one === query.state) ?? 'open'
  const view = query.view === 'messages' || (isNarrow && query.view !== 'kinds') ? 'messages' : 'kinds'
  return { view, message, state, filter }
}

/** As the API takes it. */
export function apiFilter({ filter, state }: TrashAddress) {
  const { since, until, text, in: place, ...rest } = filter
  const [from, before] = [timeOf(since), timeOf(until)]
  return {
    ...rest,
    ...(text !== undefined && place !== 'body' && { text }),
    ...(text !== undefined && place === 'body' && { body: text }),
    ...(from !== undefined && { since: from }),
    ...(before !== undefined && { until: before }),
    ...(state !== 'all' && { state }),
  }
}

/** As a bulk takes it: it is about open messages. */
export function bulkFilter(address: TrashAddress): BulkFilter {
  const { state: _, ...filter } = apiFilter(address)
  return filter
}

/** The messages that the address asks for, the newest first. */
export function messagesSource(address: TrashAddress): Source<TrashHead> {
  const { filter, state } = address
  return {
    key: keys.trash(null, 'list', filter, state),
    idOf: ({ id }) => id,
    timeOf: ({ createdAt }) => createdAt,
    fetch({ after, since, until, limit }, signal) {
      const asked = apiFilter(address)
      const [from, before] = [later(asked.since, since), earlier(asked.until, until)]
      const query = {
        ...asked,
        limit,
        ...(from !== undefined && { since: from }),
        ...(before !== undefined && { until: before }),
        ...(after !== null && { after }),
      }
      return dataOf(engine.GET('/api/trash', { params: { query }, ...(signal && { signal }) }))
    },
  }
}
