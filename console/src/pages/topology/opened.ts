import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { useLocation } from 'wouter'
import { answerOf, engine } from '../../api/engine.ts'
import type { Topology } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'

/** The topology that the address calls by its name or id, as it was when the page was opened; from then on it is asked for by its id. */
export function useOpened(topology: string) {
  const client = useQueryClient()
  const nameNow = (id: string) => client.getQueryData<Topology>(keys.topology(id))?.name
  return useQuery({
    queryKey: ['opened', topology],
    queryFn: async () => {
      const opened = await answerOf(engine.GET('/api/topologies/{topology}', { params: { path: { topology } } }))
      // What is asked for by its id next has just been read.
      client.setQueryData(keys.topology(opened.data.id), opened.data)
      return opened
    },
    staleTime: Infinity,
    gcTime: 0,
    // Under another name it is the same one, and its page stays as it is.
    placeholderData: (before) => (before !== undefined && nameNow(before.data.id) === topology ? before : undefined),
  })
}

/** Brings the address after the topology when that gets another name, whoever gives it; what else the address says stays. */
export function useOwnAddress(own: string): void {
  const [, navigate] = useLocation()
  const known = useRef(own)
  useEffect(() => {
    if (known.current === own) return
    known.current = own
    navigate(own + window.location.search, { replace: true })
  }, [own, navigate])
}
