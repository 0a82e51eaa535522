import { Group, Stack, TagsInput, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { engine } from '../../../api/engine.ts'
import { keys } from '../../../api/keys.ts'
import { useSession } from '../../../api/session.ts'
import { duration } from '../../../parts/show/format.ts'
import { manifestOf } from '../checking/settings.ts'
import { typeOf } from '../state/graph.ts'
import type { GraphNode } from '../state/graph.ts'
import type { Editing } from '../editing.ts'
import { useFields } from './context.ts'
import { defaultsOf } from './defaults.ts'
import { ChoiceField, NumberField, SuggestField, TextField } from './fields.tsx'
import { ObjectSection } from './object-section.tsx'

interface CallsProps {
  readonly node: GraphNode
  readonly editing: Editing
}

/** How its worker is called: how much at once, how long, how often, in which order, and within which limits. */
export function Calls({ node, editing: { workers } }: CallsProps) {
  const { values } = node
  return (
    <Stack gap="lg">
      <Delivery defaults={defaultsOf(workers, values)} partitions={values.partitions ?? 1} />
      <Retry />
      <Limits ofManifest={manifestOf(workers, values)?.service} />
      <Lanes />
      <Pages isBatch={typeOf(values) === 'batch'} />
    </Stack>
  )
}

interface DeliveryProps {
  readonly defaults: ReturnType<typeof defaultsOf>
  readonly partitions: number
}

function Delivery({ defaults, partitions }: DeliveryProps) {
  return (
    <Stack gap="xs" component="section" aria-label="Delivery">
      <Group grow align="flex-start" gap="xs">
        <NumberField
          field="prefetch"
          label="Prefetch"
          description={partitions > 1 ? 'With partitions it is 1' : '1 to 20; 1 keeps the order'}
          placeholder={String(defaults.prefetch)}
        />
        <NumberField
          field="timeoutMs"
          label="Time-out, ms"
          description="Of one call"
          placeholder={String(defaults.timeoutMs)}
          isTime
        />
      </Group>
      <Group grow align="flex-start" gap="xs">
        <NumberField
          field="inPlaceMaxMs"
          label="In-place wait, ms"
          description="Of an ordered node"
          placeholder={String(defaults.inPlaceMaxMs)}
          isTime
        />
        <ChoiceField
          field="onFail"
          label="When it has failed"
          description="An ordered node"
          placeholder={defaults.onFail === 'skip' ? 'goes on' : 'pauses'}
          choices={[
            { value: 'skip', label: 'goes on with the next' },
            { value: 'block', label: 'pauses first' },
          ]}
        />
      </Group>
    </Stack>
  )
}

const failures = ['default', 'timeout', 'connection', 'any', 'status:5xx', 'status:429', 'status:408']

function Retry() {
  const { valueAt, faultAt, set } = useFields()
  const on = valueAt('retry.on')
  return (
    <Stack gap="xs" component="section" aria-label="Retry" data-field="retry">
      <Title order={3}>Retry</Title>
      <Group grow align="flex-start" gap="xs">
        <NumberField field="retry.attempts" label="Attempts" description="In all, 1 to 100" placeholder="10" />
        <ChoiceField
          field="retry.backoff"
          label="Delay"
          description="From try to try"
          placeholder="is doubled"
          choices={[
            { value: 'exponential', label: 'is doubled' },
            { value: 'fixed', label: 'stays the same' },
          ]}
        />
      </Group>
      <Group grow align="flex-start" gap="xs">
        <NumberField field="retry.baseMs" label="First delay, ms" placeholder="250" isTime />
        <NumberField field="retry.maxMs" label="Longest delay, ms" placeholder="300000" isTime />
      </Group>
      <TagsInput
        size="xs"
        label="Which failures"
        description={`Such as status:500-504; with “default” these add to what is retried anyhow`}
        placeholder={Array.isArray(on) && on.length > 0 ? '' : 'default'}
        data={failures}
        splitChars={[',', ' ']}
        data-field="retry.on"
        value={Array.isArray(on) ? on.map(String) : []}
        onChange={(next) => set('retry.on', next.length === 0 ? undefined : next)}
        error={faultAt('retry.on')}
      />
      <NumberField
        field="retry.maxAgeMs"
        label="No further try after, ms"
        description="By the age of the message"
        placeholder="never given up for its age"
        isTime
      />
    </Stack>
  )
}

function Limits({ ofManifest }: { readonly ofManifest: string | undefined }) {
  const { topologyId } = useSession()
  // A token of one topology may not look at services.
  const { data = [] } = useQuery({
    queryKey: keys.services(null, 'names'),
    queryFn: () => engine.list('/api/services'),
    enabled: topologyId === null,
  })
  return (
    <Stack gap="xs" component="section" aria-label="Limits">
      <Title order={3}>Limits</Title>
      <Group grow align="flex-start" gap="xs">
        <SuggestField
          field="service"
          label="Service"
          description="Whose limits hold"
          placeholder={ofManifest ?? 'none'}
          suggestions={data.map(({ name }) => name)}
        />
        <NumberField field="limitCost" label="A call counts as" description="1 to 10000" placeholder="1" />
      </Group>
    </Stack>
  )
}

function Lanes() {
  return (
    <Stack gap="xs" component="section" aria-label="Partitions">
      <Title order={3}>Partitions</Title>
      <Group grow align="flex-start" gap="xs">
        <NumberField field="partitions" label="Lanes" description="1 to 64, each in order" placeholder="1" />
        <TextField
          field="partitionKey"
          label="Key"
          description="/customer/id or header:x-…"
          placeholder="what a worker set"
        />
      </Group>
    </Stack>
  )
}

const emits = ['page', 'records', 'chunks=100']

function Pages({ isBatch }: { readonly isBatch: boolean }) {
  return (
    <Stack gap="xs" component="section" aria-label="What it hands on">
      <Title order={3}>What it hands on</Title>
      <SuggestField
        field="emit"
        label="A JSON array becomes"
        description="page: one message; records: one for each; chunks=N"
        placeholder="page"
        suggestions={emits}
      />
      {isBatch && (
        <>
          <NumberField field="maxPages" label="Pages of one message at most" placeholder="1000000" />
          <ObjectSection field="watermark" label="Runs go on where the ones before have read to" />
        </>
      )}
      <Text size="xs" c="dimmed">
        Times are in milliseconds: {duration(60_000)} are 60000.
      </Text>
    </Stack>
  )
}
