import { useState } from 'react'
import { Fieldset, MultiSelect, Select, Stack, TagsInput, Text } from '@mantine/core'
import { useFields } from '../form/context.ts'
import { CheckField, JsonField, NumberField, TextField } from '../form/fields.tsx'
import { isObject } from '../../../parts/body/json.ts'
import { isPlainKey } from '../state/path.ts'
import type { FieldSchema, NamedField } from './schema.ts'

interface SchemaFieldsProps {
  /** Of the object whose fields they are. */
  readonly at: string
  readonly fields: readonly NamedField[]
}

/** Fields for an object, as its JSON Schema has them; what else is in it is kept, and edited as JSON. */
export function SchemaFields({ at, fields }: SchemaFieldsProps) {
  const { valueAt, exactlyAt } = useFields()
  const value = valueAt(at)
  const fault = exactlyAt(at)
  const names = new Set(fields.map(({ name }) => name))
  const others = isObject(value) ? Object.keys(value).filter((name) => !names.has(name)) : []
  const isPlain = [...names, ...others].every(isPlainKey)
  // Stays so while it is typed in.
  const [isWhole, setWhole] = useState(!isPlain)
  if (!isPlain && !isWhole) setWhole(true)
  if (isWhole)
    return (
      <JsonField field={at} label="All of it" description="Names with dots or brackets have no fields of their own" />
    )
  return (
    <Stack gap="xs">
      {fault !== null && (
        <Text size="xs" c="var(--bad)">
          {fault}
        </Text>
      )}
      {fields.map(({ name, isRequired, schema }) => (
        <SchemaField key={name} at={`${at}.${name}`} name={name} schema={schema} isRequired={isRequired} />
      ))}
      {others.map((name) => (
        <JsonField
          key={name}
          field={`${at}.${name}`}
          label={name}
          description="Not in the schema; kept as it is"
          rows={1}
        />
      ))}
    </Stack>
  )
}

interface SchemaFieldProps {
  readonly at: string
  readonly name: string
  readonly schema: FieldSchema
  readonly isRequired: boolean
}

function SchemaField({ at, name, schema, isRequired }: SchemaFieldProps) {
  const { valueAt } = useFields()
  const common = {
    field: at,
    label: schema.title ?? name,
    description: schema.description ?? undefined,
    placeholder: schema.default === undefined ? undefined : `default: ${shown(schema.default)}`,
    required: isRequired,
  }
  if (!fits(schema, valueAt(at))) return <JsonField {...common} />
  switch (schema.kind) {
    case 'text':
      return <TextField {...common} />
    case 'number':
    case 'integer':
      return <NumberField {...common} isWhole={schema.kind === 'integer'} />
    case 'boolean':
      return <CheckField {...common} otherwise={schema.default === true} />
    case 'choice':
      return <Choice {...common} choices={schema.choices ?? []} />
    case 'texts':
    case 'numbers':
      return <Items {...common} schema={schema} />
    case 'object':
      return (
        <Fieldset legend={common.label} p="xs" variant="default" data-field={at}>
          <SchemaFields at={at} fields={schema.fields} />
        </Fieldset>
      )
    case 'json':
      return <JsonField {...common} />
  }
}

/** What is there and of another kind than the schema says is shown as it is. */
function fits({ kind }: FieldSchema, value: unknown): boolean {
  if (value === undefined) return true
  switch (kind) {
    case 'text':
      return typeof value === 'string'
    case 'number':
    case 'integer':
      return typeof value === 'number'
    case 'boolean':
      return typeof value === 'boolean'
    case 'choice':
      return typeof value !== 'object'
    case 'texts':
      return Array.isArray(value) && value.every((item) => typeof item === 'string')
    case 'numbers':
      return Array.isArray(value) && value.every((item) => typeof item === 'number')
    case 'object':
      return isObject(value)
    case 'json':
      return true
  }
}

const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

interface CommonProps {
  readonly field: string
  readonly label: string
  readonly description: string | undefined
  readonly placeholder: string | undefined
  readonly required: boolean
}

/** What is there and may not be chosen is shown, too. */
function Choice({ field, required, choices: known, ...rest }: CommonProps & { readonly choices: readonly unknown[] }) {
  const { valueAt, faultAt, set } = useFields()
  const value = valueAt(field)
  const choices = value === undefined || known.includes(value) ? known : [value, ...known]
  return (
    <Select
      {...rest}
      withAsterisk={required}
      data-field={field}
      data={choices.map(shown)}
      value={value === undefined ? null : shown(value)}
      onChange={(chosen) =>
        set(
          field,
          choices.find((choice) => shown(choice) === chosen),
        )
      }
      allowDeselect={!required}
      clearable={!required}
      error={faultAt(field)}
    />
  )
}

/** A list of texts or numbers, each added by Enter. */
function Items({ field, required, schema, ...rest }: CommonProps & { readonly schema: FieldSchema }) {
  const { valueAt, faultAt, set } = useFields()
  const value = valueAt(field)
  const items = Array.isArray(value) ? value.map(String) : []
  const props = {
    ...rest,
    size: 'xs',
    withAsterisk: required,
    'data-field': field,
    value: items,
    error: faultAt(field),
  }
  const put = (next: string[]): void => {
    const read = schema.kind === 'numbers' ? next.map(Number).filter(Number.isFinite) : next
    set(field, read.length === 0 ? undefined : read)
  }
  if (schema.choices !== null) return <MultiSelect {...props} data={schema.choices.map(shown)} onChange={put} />
  return <TagsInput {...props} splitChars={[',']} onChange={put} />
}
