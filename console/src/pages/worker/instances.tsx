import { Stack, Text, Title } from '@mantine/core'
import type { WorkerInstance } from '../../api/engine.ts'
import { grouped } from '../../parts/show/format.ts'
import { Rows } from '../../parts/table/rows.tsx'
import type { Column } from '../../parts/table/rows.tsx'
import { Mono } from '../../parts/show/facts.tsx'
import { Time } from '../../parts/show/time.tsx'
import { InstanceSign } from '../workers/health.tsx'

const columns: readonly Column<WorkerInstance>[] = [
  { title: 'Address', cell: ({ url }) => <Mono>{url}</Mono> },
  { title: 'Health', cell: ({ state }) => <InstanceSign state={state} /> },
  { title: 'Since', cell: ({ since }) => since !== null && <Time at={since} relative />, tight: true },
  { title: 'Open calls', cell: ({ inFlight }) => grouped(inFlight), right: true, tight: true },
  { title: 'Why', cell: ({ reason }) => reason },
]

/** Where it runs, and how each bridge sees it that doesn't call it. */
export function Instances({ instances }: { readonly instances: readonly WorkerInstance[] }) {
  return (
    <Stack gap="xs">
      <Title order={2}>Instances</Title>
      <Rows
        label="Instances"
        columns={columns}
        items={instances}
        idOf={({ url }) => url}
        more={({ seenBy }) =>
          seenBy.length > 0 && (
            <Stack gap={2} pb={4}>
              {seenBy.map(({ bridge, host, state, since, reason }) => (
                <Text key={bridge} size="xs" c="dimmed" component="div">
                  Bridge <Mono>{bridge.slice(0, 12)}</Mono> on {host}: <InstanceSign state={state} />,{' '}
                  <Time at={since} relative />
                  {reason !== null && `: ${reason}`}
                </Text>
              ))}
            </Stack>
          )
        }
      />
      <Text size="xs" c="dimmed">
        As the bridge sees it that sees it best. An instance that fails is called again by itself as soon as it works.
      </Text>
    </Stack>
  )
}
