import type { Query, QueryCache } from '@tanstack/react-query'

/** Since when what was answered is known to be old. */
export type AgeOf = (query: Query) => number

/**
 * What is shown is kept right by events, however long ago it was asked for: it is old from the moment in which something said so. What
 * nothing was said of, and can't be asked for again, is as old as its answer.
 */
export function openAges(cache: QueryCache): AgeOf {
  const outdated = new WeakMap<Query, number>()
  cache.subscribe((event) => {
    if (event.type !== 'updated') return
    const query = event.query as Query
    const { action } = event
    if (action.type === 'invalidate') outdated.set(query, outdated.get(query) ?? Date.now())
    if (action.type === 'success') outdated.delete(query)
  })
  return (query) => outdated.get(query) ?? query.state.dataUpdatedAt
}
