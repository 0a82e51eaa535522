import { Group, Select, Stack, Text, TextInput } from '@mantine/core'
import type { TopologyDocumentNodeType } from '../../../api/engine.ts'
import { manifestOf } from '../checking/settings.ts'
import { renaming } from '../state/edits.ts'
import { isEvent, typeOf } from '../state/graph.ts'
import type { GraphNode } from '../state/graph.ts'
import { nodesOf } from '../../workers/manifest.ts'
import type { Editing } from '../editing.ts'
import { useFields } from './context.ts'
import { CheckField, SuggestField, TextField } from './fields.tsx'
import { ObjectSection } from './object-section.tsx'
import { Schedule } from './schedule.tsx'
import { WebhookAddress } from './webhook-address.tsx'

interface NodeFieldsProps {
  readonly node: GraphNode
  readonly editing: Editing
}

const eventTypes: readonly TopologyDocumentNodeType[] = ['start', 'cron', 'webhook']
const workerTypes: readonly TopologyDocumentNodeType[] = ['connector', 'batch', 'custom']

/** What it is called, and what it is. */
export function NodeFields({ node, editing }: NodeFieldsProps) {
  const { values } = node
  const type = typeOf(values)
  const { set, faultAt } = useFields()
  return (
    <Stack gap="xs">
      <Name node={node} editing={editing} />
      <Select
        label="Type"
        data={[...(isEvent(type) ? eventTypes : workerTypes)]}
        value={type}
        onChange={(chosen) => set('type', chosen)}
        allowDeselect={false}
        data-field="type"
        error={faultAt('type')}
      />
      {isEvent(type) ? <EventFields node={node} editing={editing} /> : <WorkerFields node={node} editing={editing} />}
    </Stack>
  )
}

function Name({ node: { key, values }, editing: { state, dispatch, workers } }: NodeFieldsProps) {
  const { faultAt } = useFields()
  const isSaved = state.saved.nodes.some((saved) => saved.key === key)
  const isUseKept = !isEvent(values.type) && (isSaved || manifestOf(workers, values) !== null)
  const rename = (name: string): void =>
    dispatch({ kind: 'edit', edit: renaming(key, name, isUseKept), field: `${key} name` })
  return (
    <TextInput
      label="Name"
      description={isSaved ? 'Under another name it is another node, with a queue of its own' : 'a–z, 0–9 and -'}
      data-field="name"
      withAsterisk
      spellCheck={false}
      value={values.name}
      onChange={(event) => rename(event.currentTarget.value)}
      error={faultAt('name')}
    />
  )
}

function WorkerFields({ node: { values }, editing: { workers } }: NodeFieldsProps) {
  const worker = workers.find(({ name }) => name === values.worker)
  const manifest = manifestOf(workers, values)
  return (
    <>
      <Group grow align="flex-start" gap="xs">
        <SuggestField field="worker" label="Worker" required suggestions={workers.map(({ name }) => name)} />
        <SuggestField
          field="uses"
          label="Its node"
          placeholder={values.name}
          suggestions={worker === undefined ? [] : nodesOf(worker).map(({ name }) => name)}
        />
      </Group>
      {manifest !== null && (manifest.title ?? manifest.description) !== undefined && (
        <Text size="xs" c="dimmed">
          {[manifest.title, manifest.description].filter((text) => text !== undefined).join(': ')}
        </Text>
      )}
      {worker?.manifest === null && (
        <Text size="xs" c="dimmed">
          {worker.name} has no manifest: give its node the name that it has there.
        </Text>
      )}
      <TextField
        field="path"
        label="Path at the worker"
        placeholder={manifest?.path ?? `/nodes/${values.uses ?? values.name}`}
      />
    </>
  )
}

function EventFields({ node: { key, values }, editing: { state, topologyId } }: NodeFieldsProps) {
  const type = typeOf(values)
  const stored = state.saved.nodes.find((saved) => saved.key === key && saved.values.type === 'webhook')
  return (
    <>
      {type !== 'webhook' && <Schedule isCron={type === 'cron'} />}
      {type === 'webhook' && (
        <>
          <WebhookAddress topologyId={topologyId} node={stored?.values.name ?? null} />
          <ObjectSection field="verify" label="Deliveries are signed" />
          <ObjectSection field="handshake" label="Its registration is answered" />
          <ObjectSection field="accept" label="It takes more than POST with JSON" />
        </>
      )}
      <CheckField field="enabled" label="Takes starts" otherwise />
      <CheckField
        field="reconcile"
        label="Its runs read everything again"
        description="No batch node is handed a watermark"
        otherwise={false}
      />
    </>
  )
}
