import { List, Table, Text, Title } from '@mantine/core'

const buckets = [
  {
    shape: 'Short, stateless steps',
    examples: 'JSON shaping, light HTTP calls, ID lookups',
    prefetch: '5–10',
    why: 'Cheap to do side by side: gains grow almost with the number.',
  },
  {
    shape: 'I/O-heavy or memory-heavy',
    examples: 'large payloads, multi-MB documents, heavy CPU work',
    prefetch: '1–3',
    why: 'Each message in flight holds memory: more helps less and costs more.',
  },
  {
    shape: 'Order-sensitive consumers',
    examples: 'ID mapping, state machines, events of the same customer',
    prefetch: '1',
    why: 'Order is kept. Throughput comes from partitions instead.',
  },
  {
    shape: 'Behind a limiter',
    examples: 'a service with declared limits',
    prefetch: 'as high as fits the worker',
    why: 'The limiter paces the calls, so it can be high without hurting the service.',
  },
]

/** What prefetch to choose: the four buckets, and the two signals. */
export function Guidance() {
  return (
    <section aria-label="Sizing guidance">
      <Title order={3}>Sizing guidance</Title>
      <Table fz="xs" verticalSpacing={4} horizontalSpacing={6} mt={4}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Workload</Table.Th>
            <Table.Th>Prefetch</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {buckets.map(({ shape, examples, prefetch, why }) => (
            <Table.Tr key={shape}>
              <Table.Td>
                <b>{shape}</b>
                <Text size="xs" c="dimmed">
                  {examples}. {why}
                </Text>
              </Table.Td>
              <Table.Td fw={600}>{prefetch}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <Title order={3} mt="xs">
        Two signals
      </Title>
      <List size="xs" spacing={2}>
        <List.Item>The queue is long all the time and the worker’s CPU isn’t pegged: raise it.</List.Item>
        <List.Item>The worker’s memory climbs with it, with OOMs or slow garbage collection: lower it.</List.Item>
      </List>
      <Text size="xs" c="dimmed" mt={6}>
        Above 1, messages of the node are handled side by side and may end out of order.
      </Text>
    </section>
  )
}
