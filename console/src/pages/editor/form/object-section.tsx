import { Checkbox, Stack } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { dataOf, engine } from '../../../api/engine.ts'
import { readSchema } from '../schema/schema.ts'
import { SchemaFields } from '../schema/schema-fields.tsx'
import { valueAt as valueIn } from '../state/path.ts'
import { useFields } from './context.ts'

interface ObjectSectionProps {
  readonly field: string
  readonly label: string
}

/** A part of a node that it has or hasn't, with the fields that the engine's own schema of documents has for it. */
export function ObjectSection({ field, label }: ObjectSectionProps) {
  const { valueAt, faultAt, set } = useFields()
  const isThere = valueAt(field) !== undefined
  return (
    <div>
      <Checkbox
        size="xs"
        label={label}
        data-field={field}
        checked={isThere}
        onChange={(event) => set(field, event.currentTarget.checked ? {} : undefined)}
        error={isThere ? null : faultAt(field)}
      />
      {isThere && <Inside field={field} />}
    </div>
  )
}

function Inside({ field }: { readonly field: string }) {
  const { data } = useQuery({
    queryKey: ['document-schema'],
    queryFn: () => dataOf(engine.GET('/api/schemas/topology.json')),
    staleTime: Infinity,
  })
  const schema = useMemo(() => readSchema(valueIn(data, `properties.nodes.items.properties.${field}`)), [data, field])
  if (data === undefined) return null
  return (
    <Stack gap="xs" pl="md" pt={6}>
      <SchemaFields at={field} fields={schema.fields} />
    </Stack>
  )
}
