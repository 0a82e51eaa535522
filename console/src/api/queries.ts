import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import { dataOf, engine } from './engine.ts'
import { keys } from './keys.ts'

/** A topology and its draft, by name or id. */
export const topologyQuery = (topology: string) =>
  queryOptions({
    queryKey: keys.topology(topology),
    queryFn: () => dataOf(engine.GET('/api/topologies/{topology}', { params: { path: { topology } } })),
  })

/** Its nodes, with those that are leaving. */
export const nodesQuery = (topology: string) =>
  queryOptions({
    queryKey: keys.nodes(topology),
    queryFn: async () =>
      (await dataOf(engine.GET('/api/topologies/{topology}/nodes', { params: { path: { topology } } }))).items,
  })

const nodesMax = 500

/** What waits before its nodes, and for what; only published ones have queues. */
export const queuesQuery = (topologyId: string) =>
  queryOptions({
    queryKey: keys.queues(topologyId),
    queryFn: () => engine.list('/api/queues', { query: { topology: topologyId } }, nodesMax),
  })

/** Why messages of a node wait, as all bridges say at this moment. */
export const whyQuery = (topologyId: string, nodeId: string) =>
  queryOptions({
    queryKey: keys.why(topologyId, nodeId),
    queryFn: () => dataOf(engine.GET('/api/nodes/{id}/why', { params: { path: { id: nodeId } } })),
    placeholderData: keepPreviousData,
  })

/** What lies open in Trash of a topology, by kind of failure. */
export const failuresQuery = (topologyId: string) =>
  queryOptions({
    queryKey: keys.trash(topologyId, 'groups'),
    queryFn: async () => {
      const query = { topology: topologyId, state: 'open', limit: nodesMax } as const
      return (await dataOf(engine.GET('/api/trash/groups', { params: { query } }))).items
    },
  })

export const workersQuery = queryOptions({
  queryKey: keys.workers(),
  queryFn: () => engine.list('/api/workers'),
})
