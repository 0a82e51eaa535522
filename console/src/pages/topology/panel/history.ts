import { queryOptions } from '@tanstack/react-query'
import { dataOf, engine } from '../../../api/engine.ts'
import { seriesOf } from './series.ts'
import type { Range } from './series.ts'

/** As often as the engine looks; a tab that is hidden doesn't ask. */
const askMs: Readonly<Record<Range, number>> = { '15m': 10_000, '24h': 60_000 }

/** What a node did. */
export const historyQuery = (nodeId: string, range: Range) =>
  queryOptions({
    queryKey: ['figures', nodeId, range],
    queryFn: async () => {
      const params = { path: { id: nodeId }, query: { range } }
      const history = await dataOf(engine.GET('/api/nodes/{id}/history', { params }))
      return seriesOf(history, range, Date.now())
    },
    structuralSharing: false,
    refetchInterval: askMs[range],
  })
