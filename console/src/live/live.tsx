import { useQuery, useQueryClient } from '@tanstack/react-query'
import { createContext, use, useEffect, useState } from 'react'
import type { ReactNode } from 'react'
import { keys } from '../api/keys.ts'
import { sessionQuery, useSession } from '../api/session.ts'
import { openEars } from './hear.ts'
import type { Depth, Depths } from './hear.ts'
import { openStream } from './stream.ts'
import type { StreamState } from './stream.ts'

/** How long events haven't come. */
interface Away {
  /** What happened from then on was not told. */
  readonly since: number
  /** It is tried to hear them again; while the page is hidden nobody tries. */
  readonly tryingSince: number
}

interface Listening {
  readonly state: StreamState
  /** Null: they come. */
  readonly away: Away | null
}

const Live = createContext<Listening>({ state: 'off', away: null })

function next({ away }: Listening, state: StreamState): Listening {
  const now = Date.now()
  if (state === 'live') return { state, away: null }
  const tryingSince = state === 'resting' ? Infinity : Math.min(away?.tryingSince ?? now, now)
  return { state, away: { since: away?.since ?? now, tryingSince } }
}

/** Keeps what is shown below it in step with the engine, over one connection. */
export function LiveProvider({ children }: { readonly children: ReactNode }) {
  const client = useQueryClient()
  const { topologyId } = useSession()
  const [listening, setListening] = useState<Listening>(() => next({ state: 'off', away: null }, 'connecting'))
  useEffect(() => {
    const ears = openEars(client)
    const url = topologyId === null ? '/api/events' : `/api/topologies/${topologyId}/events`
    const close = openStream(url, document, {
      event: (kind, data) => ears.event(kind, data),
      gap: () => ears.gap(),
      back: () => ears.back(),
      state: (state) => setListening((before) => next(before, state)),
      refused: () => void client.invalidateQueries({ queryKey: sessionQuery.queryKey }),
    })
    return () => {
      close()
      ears.stop()
    }
  }, [client, topologyId])
  return <Live value={listening}>{children}</Live>
}

export function useLiveState(): StreamState {
  return use(Live).state
}

/** Null while events come. */
export function useAway(): Away | null {
  return use(Live).away
}

const none: Depths = {}

/** How full queues are, of all topologies of which that was told. */
export function useAllDepths(): Depths {
  return useDepthsOf((all) => all)
}

/** The same of one topology: it is drawn anew only when this one changes. Null: nothing was told of it yet. */
export function useDepths(topologyId: string): Readonly<Record<string, Depth>> | null {
  return useDepthsOf((all) => all[topologyId] ?? null)
}

function useDepthsOf<T>(select: (all: Depths) => T): T {
  const { data } = useQuery({
    queryKey: keys.depths,
    queryFn: () => Promise.resolve(none),
    enabled: false,
    initialData: none,
    staleTime: Infinity,
    gcTime: Infinity,
    select,
  })
  return data
}
