import { Alert, Code, Group, Loader, Stack, Table, Text } from '@mantine/core'
import type { BulkPreview, BulkSample } from '../../../api/engine.ts'
import { Icon } from '../../../parts/icons.tsx'
import { Problem } from '../../../parts/problem.tsx'
import { Dot } from '../../../parts/show/dot.tsx'

interface PreviewProps {
  readonly data: BulkPreview | null
  readonly error: unknown
  readonly isFetching: boolean
  readonly isPatched: boolean
  /** Why what messages hold can't be seen. */
  readonly lacks: string | null
}

/** What would become of some of the messages, spread over all of them. */
export function Preview({ data, error, isFetching, isPatched, lacks }: PreviewProps) {
  if (lacks !== null)
    return (
      <Text size="sm" c="dimmed">
        {lacks}: there is no preview.
      </Text>
    )
  if (error) return <Problem error={error} />
  if (!data) return isFetching ? <Loader size="xs" aria-label="Looking at samples" /> : null
  const { samples } = data
  const refused = samples.filter(({ faults }) => faults.length > 0)
  const unchanged = samples.filter(({ difference, faults }) => faults.length === 0 && difference.length === 0)
  return (
    <Stack gap={8} aria-busy={isFetching}>
      <Group gap={8}>
        <Text size="sm" fw={600}>
          Preview on {samples.length}
        </Text>
        {refused.length > 0 && <Dot tone="warn">{refused.length} would be refused</Dot>}
        {isPatched && unchanged.length > 0 && <Dot tone="quiet">{unchanged.length} would not change</Dot>}
        {refused.length === 0 && (!isPatched || unchanged.length === 0) && <Dot tone="good">all can be sent</Dot>}
      </Group>
      {refused.length > 0 && (
        <Alert color="orange" variant="light" icon={<Icon name="warning" />}>
          What is refused stays in Trash as it is:{' '}
          {[...new Set(refused.flatMap(({ faults }) => faults))].slice(0, 3).join('; ')}
        </Alert>
      )}
      {isPatched && <Changes samples={samples.filter(({ difference }) => difference.length > 0)} />}
    </Stack>
  )
}

const placesMax = 5

function Changes({ samples }: { readonly samples: readonly BulkSample[] }) {
  if (samples.length === 0) return null
  return (
    <div style={{ maxHeight: 170, overflow: 'auto' }} tabIndex={0} role="region" aria-label="Changes of the samples">
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Where</Table.Th>
            <Table.Th>Before</Table.Th>
            <Table.Th>After</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {samples.flatMap(({ id, difference }) =>
            difference.slice(0, placesMax).map(({ path, before, after }) => (
              <Table.Tr key={`${id} ${path}`}>
                <Table.Td>
                  <Code>{path === '' ? 'all of it' : path}</Code>
                </Table.Td>
                <Table.Td>{shown(before)}</Table.Td>
                <Table.Td>{shown(after)}</Table.Td>
              </Table.Tr>
            )),
          )}
        </Table.Tbody>
      </Table>
    </div>
  )
}

function shown(value: unknown): string {
  if (value === undefined) return '–'
  const text = JSON.stringify(value)
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
