import { useQuery } from '@tanstack/react-query'
import { engine } from '../../api/engine.ts'

export interface Caller {
  readonly topology: string
  readonly isPublished: boolean
  readonly nodes: readonly string[]
}

const freshMs = 60_000

/** Topologies whose documents name a worker, and the nodes that do; undefined: not known yet. */
export function useCallers(worker: string): readonly Caller[] | undefined {
  const { data } = useQuery({
    queryKey: ['callers', worker],
    queryFn: async () => {
      const all = await engine.list('/api/topologies')
      return all.flatMap(({ name, visibility, document: { nodes = [] } }): Caller[] => {
        const named = nodes.filter((node) => node.worker === worker).map((node) => node.name)
        return named.length === 0 ? [] : [{ topology: name, isPublished: visibility === 'public', nodes: named }]
      })
    },
    staleTime: freshMs,
  })
  return data
}
