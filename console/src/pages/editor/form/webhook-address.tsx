import { Code, Group, Loader, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { dataOf, engine } from '../../../api/engine.ts'
import type { Webhook } from '../../../api/engine.ts'
import { nodesQuery } from '../../../api/queries.ts'
import { Problem } from '../../../parts/problem.tsx'
import { Copy } from '../../../parts/show/copy.tsx'
import { Mono } from '../../../parts/show/facts.tsx'
import { Time } from '../../../parts/show/time.tsx'

interface WebhookAddressProps {
  readonly topologyId: string
  /** As it is called where it is stored; null: it isn't stored as a webhook yet. */
  readonly node: string | null
}

/** Where deliveries are sent to. */
export function WebhookAddress({ topologyId, node }: WebhookAddressProps) {
  if (node === null)
    return (
      <Text size="xs" c="dimmed">
        Its address is made when the draft is saved.
      </Text>
    )
  return <Stored topologyId={topologyId} node={node} />
}

function Stored({ topologyId, node }: { readonly topologyId: string; readonly node: string }) {
  const nodes = useQuery(nodesQuery(topologyId))
  const id = nodes.data?.find(({ name, type }) => name === node && type === 'webhook')?.id ?? null
  const { data, error, refetch } = useQuery({
    queryKey: ['webhook', id],
    queryFn: () => dataOf(engine.GET('/api/nodes/{id}/webhook', { params: { path: { id: id ?? '' } } })),
    enabled: id !== null,
  })
  if (data) return <Address webhook={data} />
  const problem = nodes.error ?? error
  if (problem === null) return <Loader size="xs" aria-label="Loading" />
  return <Problem error={problem} again={() => void (nodes.error === null ? refetch() : nodes.refetch())} />
}

function Address({ webhook: { topology, node, url, previousUntil, notes } }: { readonly webhook: Webhook }) {
  return (
    <Stack gap={4} component="section" aria-label="Address">
      <Group justify="space-between" gap="xs" mih={22}>
        <Text size="sm" fw={500}>
          Address
        </Text>
        {url !== null && <Copy text={url} what="the address" />}
      </Group>
      <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
        {url === null ? 'It has none that can be used.' : <Mono>{url}</Mono>}
      </Text>
      <Text size="xs" c="dimmed">
        {url === null ? 'Another one is made by ' : 'Who knows it may send. Another one is made by '}
        <Code>
          sluice webhook rotate {topology}/{node}
        </Code>
        .
        {previousUntil !== null && (
          <>
            {' '}
            The one before is taken until <Time at={previousUntil} />.
          </>
        )}
      </Text>
      {notes.map((note) => (
        <Text key={note} size="xs" c="var(--warn)">
          {note}
        </Text>
      ))}
    </Stack>
  )
}
