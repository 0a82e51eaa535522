import { Stack, Text, Title } from '@mantine/core'
import type { Status, StatusBridge } from '../../api/engine.ts'
import { bytes, counted } from '../../parts/show/format.ts'
import { Rows } from '../../parts/table/rows.tsx'
import type { Column } from '../../parts/table/rows.tsx'
import { Mono } from '../../parts/show/facts.tsx'
import { Sign } from '../../parts/show/sign.tsx'
import { Time } from '../../parts/show/time.tsx'

const columns: readonly Column<StatusBridge>[] = [
  { title: 'Bridge', cell: ({ id }) => <Mono>{id}</Mono> },
  {
    title: 'State',
    cell: ({ trouble: { length } }) =>
      length === 0 ? (
        <Sign tone="good">works</Sign>
      ) : (
        <Sign tone="warn">{length} of its work held back, see above</Sign>
      ),
  },
  { title: 'Host', cell: ({ host }) => host },
  { title: 'Version', cell: ({ version }) => version ?? 'an older one', tight: true },
  { title: 'Plans', cell: ({ behind }) => <Plans behind={behind} /> },
  { title: 'Process', cell: ({ pid }) => pid, right: true, tight: true },
  { title: 'Memory', cell: ({ rssBytes }) => bytes(rssBytes), right: true, tight: true },
  { title: 'Began', cell: ({ startedAt }) => <Time at={startedAt} relative />, tight: true },
]

/** Whether it goes by what is published. */
function Plans({ behind }: { readonly behind: number | null }) {
  if (behind === null) return <>not known</>
  if (behind === 0) return <Sign tone="good">all in force</Sign>
  return <Sign tone="warn">{counted(behind, 'topology', 'topologies')} behind</Sign>
}

/** Those that live: each tells so every few seconds. */
export function Bridges({ status: { bridges } }: { readonly status: Status }) {
  return (
    <Stack gap="xs">
      <Title order={2}>Bridges</Title>
      {bridges.length === 0 ? (
        <Text size="sm" c="dimmed">
          None lives. Start one with <code>sluice bridge</code>.
        </Text>
      ) : (
        <Rows label="Bridges" columns={columns} items={bridges} idOf={({ id }) => id} />
      )}
    </Stack>
  )
}
