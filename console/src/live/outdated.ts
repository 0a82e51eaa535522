import { notifyManager, useQueryClient } from '@tanstack/react-query'
import { useCallback, useSyncExternalStore } from 'react'
import { ageOf } from '../api/client.ts'
import { useNow } from '../parts/show/time.tsx'
import { useAway } from './live.tsx'
import { failingOf, untoldSince } from './shown.ts'

export interface Outdated {
  /** Milliseconds. */
  readonly since: number
  /** With which it can't be asked for again; null: only events don't come. */
  readonly error: unknown
  readonly again: () => Promise<unknown>
}

/** A connection that is back so soon is nothing to speak of. */
const awayMs = 5_000

/** Since when some of what the page shows is old; null: nothing is, as far as is known. */
export function useOutdated(): Outdated | null {
  const client = useQueryClient()
  const cache = client.getQueryCache()
  const subscribe = useCallback((tell: () => void) => cache.subscribe(notifyManager.batchCalls(tell)), [cache])
  const away = useAway()
  const now = useNow(away !== null)
  const awaySince = away !== null && now - away.tryingSince >= awayMs ? away.since : Infinity
  const since = useSyncExternalStore(subscribe, () =>
    Math.min(...failingOf(cache).map(ageOf), untoldSince(cache, awaySince)),
  )
  if (since === Infinity) return null
  return {
    since,
    error: failingOf(cache)[0]?.state.error ?? null,
    again: () =>
      Promise.all(failingOf(cache).map((query) => client.refetchQueries({ queryKey: query.queryKey, exact: true }))),
  }
}
