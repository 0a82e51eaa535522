import type { Query, QueryCache } from '@tanstack/react-query'
import { keys } from '../api/keys.ts'
import { isObject } from '../parts/body/json.ts'

/** Of all that is looked at: what is shown though it could not be asked for again. */
export function failingOf(cache: QueryCache): Query[] {
  return cache.findAll({
    type: 'active',
    predicate: (query) => hasFailed(query) && query.state.error !== null && query.state.data !== undefined,
  })
}

/** It could not be asked for, and may be tried once more at this moment. The login is no part of a page. */
export function hasFailed({ queryKey, state }: Query): boolean {
  if (queryKey[0] === 'session') return false
  // A list that could not be gone on with is as new as before.
  if (state.fetchMeta?.fetchMore !== undefined) return false
  return state.error !== null || state.fetchFailureCount > 0
}

/** Since when what is looked at is told of no more, when nothing was told from `awaySince` on: what was answered after that is as old as its answer. */
export function untoldSince(cache: QueryCache, awaySince: number): number {
  const answered = cache.findAll({ predicate: isShown }).map(({ state }) => state.dataUpdatedAt)
  return Math.max(awaySince, Math.min(...answered))
}

function isShown(query: Query): boolean {
  const { queryKey, state } = query
  // What was told of queues is never asked for; before that there is nothing of it to see.
  if (queryKey[0] === keys.depths[0]) return query.getObserversCount() > 0 && isToldOf(state.data)
  return query.isActive() && state.data !== undefined && queryKey[0] !== 'session'
}

const isToldOf = (depths: unknown): boolean => isObject(depths) && Object.keys(depths).length > 0
