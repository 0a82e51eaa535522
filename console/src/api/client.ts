import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query'
import { openAges } from './ages.ts'
import { statusOf } from './engine.ts'
import { sessionQuery } from './session.ts'

const freshMs = 10_000

/** Whoever's login has ended is asked to log in again; the address stays, and so does where he was. */
function onError(error: Error): void {
  if (statusOf(error) === 401) queryClient.setQueryData(sessionQuery.queryKey, null)
}

/** What is shown is kept right by events (live/), so nothing is asked again by a clock. */
export const queryClient: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    queries: {
      staleTime: freshMs,
      refetchOnWindowFocus: false,
      // What the engine refuses, it refuses again.
      retry: (count, error) => count < 2 && [null, 503].includes(statusOf(error)),
    },
  },
})

/** Since when what is shown of an answer is old. */
export const ageOf = openAges(queryClient.getQueryCache())
