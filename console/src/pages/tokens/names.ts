import { useQuery } from '@tanstack/react-query'
import { engine } from '../../api/engine.ts'

const none: ReadonlyMap<string, string> = new Map()
const freshMs = 60_000

/** Names of all topologies by their ids. */
export function useTopologyNames(): ReadonlyMap<string, string> {
  const { data } = useQuery({
    queryKey: ['topology-names'],
    queryFn: async () => new Map((await engine.list('/api/topologies')).map(({ id, name }) => [id, name])),
    staleTime: freshMs,
  })
  return data ?? none
}
