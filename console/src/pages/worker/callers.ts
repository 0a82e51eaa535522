import { useQuery } from '@tanstack/react-query'
import type { UseQueryResult } from '@tanstack/react-query'
import { engine } from '../../api/engine.ts'

export interface Caller {
  readonly topology: string
  readonly isPublished: boolean
  readonly nodes: readonly string[]
}

const freshMs = 60_000

/** Topologies whose drafts name a worker, and the nodes that do; by default as they were within the last minute. */
export function useCallers(worker: string, staleTime = freshMs): UseQueryResult<readonly Caller[]> {
  return useQuery({
    queryKey: ['callers', worker],
    queryFn: async (): Promise<readonly Caller[]> => {
      const all = await engine.list('/api/topologies')
      return all.flatMap(({ name, visibility, document: { nodes = [] } }): Caller[] => {
        const named = nodes.filter((node) => node.worker === worker).map((node) => node.name)
        return named.length === 0 ? [] : [{ topology: name, isPublished: visibility === 'public', nodes: named }]
      })
    },
    staleTime,
  })
}
