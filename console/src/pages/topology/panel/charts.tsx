import { SegmentedControl, Skeleton, Stack, Text } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { dataOf, engine } from '../../../api/engine.ts'
import type { NodeHistory, NodeHistoryPoint } from '../../../api/engine.ts'
import { compact, rate } from '../../../parts/show/format.ts'
import { Problem } from '../../../parts/problem.tsx'
import { Plot } from './plot.tsx'

const ranges = [
  { value: '15m', label: '15 minutes' },
  { value: '24h', label: '24 hours' },
] as const
type Range = (typeof ranges)[number]['value']

/** As often as the engine looks; a tab that is hidden doesn't ask. */
const askMs: Readonly<Record<Range, number>> = { '15m': 10_000, '24h': 60_000 }

/** What the node did. */
export function Charts({ nodeId }: { readonly nodeId: string }) {
  const [range, setRange] = useState<Range>('15m')
  const { data, error, refetch } = useQuery({
    queryKey: ['figures', nodeId, range],
    queryFn: () =>
      dataOf(engine.GET('/api/nodes/{id}/history', { params: { path: { id: nodeId }, query: { range } } })),
    placeholderData: keepPreviousData,
    refetchInterval: askMs[range],
  })
  return (
    <Stack gap="sm">
      <SegmentedControl size="xs" aria-label="How far back" data={[...ranges]} value={range} onChange={setRange} />
      {error !== null && data === undefined && <Problem error={error} again={() => void refetch()} />}
      {data === undefined && error === null && <Skeleton h={400} />}
      {data?.points.length === 0 && (
        <Text size="sm" c="dimmed">
          Nothing was seen yet: the engine looks every ten seconds.
        </Text>
      )}
      {data !== undefined && data.points.length > 0 && <Plots history={data} />}
    </Stack>
  )
}

function Plots({ history }: { readonly history: NodeHistory }) {
  const { times, columns } = useMemo(() => seriesOf(history), [history])
  return (
    <>
      <Plot title="Waiting" times={times} values={columns.waiting} show={compact} tone="accent" />
      <Plot title="Rate" times={times} values={columns.ratePerSecond} show={rate} tone="accent" />
      <Plot title="In flight" times={times} values={columns.inFlight} show={compact} tone="accent" />
      <Plot title="Failed" times={times} values={columns.failed} show={compact} tone="bad" isBars />
    </>
  )
}

const kinds = ['waiting', 'ratePerSecond', 'inFlight', 'failed'] as const
type Kind = (typeof kinds)[number]

/** Where nobody looked there is a gap, not a line. */
function seriesOf({ points, stepSeconds }: NodeHistory) {
  const times: number[] = []
  const rows: (NodeHistoryPoint | null)[] = []
  for (const point of points) {
    const at = Date.parse(point.at) / 1_000
    const last = times.at(-1)
    if (last !== undefined && at - last > stepSeconds * 1.5) {
      times.push(last + stepSeconds)
      rows.push(null)
    }
    times.push(at)
    rows.push(point)
  }
  const columns = Object.fromEntries(kinds.map((kind) => [kind, rows.map((row) => row?.[kind] ?? null)]))
  return { times, columns: columns as Readonly<Record<Kind, (number | null)[]>> }
}
