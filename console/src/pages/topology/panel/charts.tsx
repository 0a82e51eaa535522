import { SegmentedControl, Skeleton, Stack, Text } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { compact, rate } from '../../../parts/show/format.ts'
import { Problem } from '../../../parts/problem.tsx'
import { historyQuery } from './history.ts'
import { Plot } from './plot.tsx'
import { ranges } from './series.ts'
import type { Range, Series } from './series.ts'

const choices = Object.entries(ranges).map(([value, { label }]) => ({ value: value as Range, label }))

/** What the node did. */
export function Charts({ nodeId }: { readonly nodeId: string }) {
  const [range, setRange] = useState<Range>('15m')
  const { data, error, refetch } = useQuery({ ...historyQuery(nodeId, range), placeholderData: keepPreviousData })
  return (
    <Stack gap="sm">
      <SegmentedControl size="xs" aria-label="How far back" data={choices} value={range} onChange={setRange} />
      {error !== null && data === undefined && <Problem error={error} again={() => void refetch()} />}
      {data === undefined && error === null && <Skeleton h={400} />}
      {data?.times.length === 0 && (
        <Text size="sm" c="dimmed">
          Nothing was seen yet: the engine looks every ten seconds.
        </Text>
      )}
      {data !== undefined && data.times.length > 0 && <Plots series={data} />}
    </Stack>
  )
}

function Plots({ series: { columns, ...rest } }: { readonly series: Series }) {
  return (
    <>
      <Plot title="Waiting" {...rest} values={columns.waiting} show={compact} tone="accent" />
      <Plot title="Rate" {...rest} values={columns.ratePerSecond} show={rate} tone="accent" />
      <Plot title="In flight" {...rest} values={columns.inFlight} show={compact} tone="accent" />
      <Plot title="Failed" {...rest} values={columns.failed} show={compact} tone="bad" isBars />
    </>
  )
}
