import { useQuery, useQueryClient } from '@tanstack/react-query'
import { createContext, use, useEffect, useState } from 'react'
import type { ReactNode } from 'react'
import { keys } from '../api/keys.ts'
import { sessionQuery, useSession } from '../api/session.ts'
import { openEars } from './hear.ts'
import type { Depth, Depths } from './hear.ts'
import { openStream } from './stream.ts'
import type { StreamState } from './stream.ts'

const Live = createContext<StreamState>('off')

/** Keeps what is shown below it in step with the engine, over one connection. */
export function LiveProvider({ children }: { readonly children: ReactNode }) {
  const client = useQueryClient()
  const { topologyId } = useSession()
  const [state, setState] = useState<StreamState>('connecting')
  useEffect(() => {
    const ears = openEars(client)
    const url = topologyId === null ? '/api/events' : `/api/topologies/${topologyId}/events`
    const close = openStream(url, {
      event: (kind, data) => ears.event(kind, data),
      gap: () => ears.gap(),
      state: setState,
      refused: () => void client.invalidateQueries({ queryKey: sessionQuery.queryKey }),
    })
    return () => {
      close()
      ears.stop()
    }
  }, [client, topologyId])
  return <Live value={state}>{children}</Live>
}

export function useLiveState(): StreamState {
  return use(Live)
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
