import { Button, Code, Group, Stack, Text, Title } from '@mantine/core'
import { foreignTo } from '../state/edits.ts'
import { typeOf } from '../state/graph.ts'
import type { GraphNode } from '../state/graph.ts'
import { useFields } from './context.ts'

const ofEvery = ['name', 'type']
const ofEvents = ['enabled', 'reconcile']
const ofWorkers = [
  ...['worker', 'uses', 'path', 'service', 'limitCost', 'prefetch', 'partitions', 'partitionKey', 'retry'],
  ...['timeoutMs', 'inPlaceMaxMs', 'onFail', 'settings', 'emit'],
]

/** The fields that a form of this type shows. */
const fieldsOf = {
  start: [...ofEvents, 'overlap'],
  cron: [...ofEvents, 'overlap', 'cron', 'timezone', 'missed', 'message'],
  webhook: [...ofEvents, 'verify', 'handshake', 'accept'],
  connector: ofWorkers,
  custom: ofWorkers,
  batch: [...ofWorkers, 'maxPages', 'watermark'],
}

/** What its document says though nodes of this type have no such thing: nothing of a document is hidden. */
export function Foreign({ node: { values } }: { readonly node: GraphNode }) {
  const { set, valueAt, faultAt } = useFields()
  const type = typeOf(values)
  const fields = foreignTo(values, [...ofEvery, ...fieldsOf[type]])
  if (fields.length === 0) return null
  return (
    <Stack gap="xs" component="section" aria-label="Also in the document">
      <Title order={3}>Also in the document</Title>
      {fields.map((field) => (
        <div key={field} data-field={field}>
          <Group justify="space-between" wrap="nowrap" gap="xs">
            <Text size="sm" component="div">
              {field} <Code>{JSON.stringify(valueAt(field))}</Code>
            </Text>
            <Button variant="default" size="compact-xs" onClick={() => set(field, undefined)}>
              Remove {field}
            </Button>
          </Group>
          <Text size="xs" c={faultAt(field) === null ? 'dimmed' : 'var(--bad)'}>
            {faultAt(field) ?? `A ${type} node has no ${field}`}
          </Text>
        </div>
      ))}
    </Stack>
  )
}
