import { Stack, Text } from '@mantine/core'
import { useMemo } from 'react'
import { manifestOf } from '../checking/settings.ts'
import { readSchema } from '../schema/schema.ts'
import { SchemaFields } from '../schema/schema-fields.tsx'
import { isObject } from '../../../parts/body/json.ts'
import type { GraphNode } from '../state/graph.ts'
import type { Editing } from '../editing.ts'
import { JsonField } from './fields.tsx'

interface SettingsProps {
  readonly node: GraphNode
  readonly editing: Editing
}

/** What is handed to the worker with every call: as fields, where it says in its manifest what it takes. */
export function Settings({ node: { values }, editing: { workers } }: SettingsProps) {
  const raw = manifestOf(workers, values)?.settings
  const schema = useMemo(() => (isObject(raw) ? readSchema(raw) : null), [raw])
  const isForm = schema?.kind === 'object' && (values.settings === undefined || isObject(values.settings))
  return (
    <Stack gap="xs">
      <Text size="xs" c="dimmed">
        {schema === null
          ? 'The worker says nothing of what it takes: any JSON object, handed to it with every call.'
          : (schema.description ?? 'Handed to the worker with every call; fields are as its manifest says.')}
      </Text>
      {isForm ? (
        <SchemaFields at="settings" fields={schema.fields} />
      ) : (
        <JsonField field="settings" label="Settings" placeholder={'{\n}'} rows={6} />
      )}
    </Stack>
  )
}
