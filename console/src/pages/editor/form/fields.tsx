import { Autocomplete, Checkbox, NumberInput, Select, Textarea, TextInput } from '@mantine/core'
import { exactJsonFault } from '../../../parts/body/json-fault.ts'
import { duration } from '../../../parts/show/format.ts'
import { useFields } from './context.ts'

interface FieldProps {
  /** Its path in the node, as the API tells faults. */
  readonly field: string
  readonly label: string
  readonly description?: string | undefined
  /** What holds when it is empty. */
  readonly placeholder?: string | undefined
  readonly required?: boolean
}

/** Empty is left out. */
export function TextField({ field, required = false, ...rest }: FieldProps) {
  const { valueAt, faultAt, set } = useFields()
  const value = valueAt(field)
  return (
    <TextInput
      {...rest}
      withAsterisk={required}
      data-field={field}
      value={typeof value === 'string' ? value : ''}
      onChange={(event) => set(field, event.currentTarget.value === '' ? undefined : event.currentTarget.value)}
      error={faultAt(field)}
    />
  )
}

interface NumberFieldProps extends FieldProps {
  /** Milliseconds: they are also told in words. */
  readonly isTime?: boolean
  readonly min?: number
  readonly max?: number
  readonly isWhole?: boolean
}

/** Out of its range it is stored as it is typed, and the engine says what is wrong. */
export function NumberField({
  field,
  required = false,
  isTime = false,
  isWhole = true,
  description,
  min,
  max,
  ...rest
}: NumberFieldProps) {
  const { valueAt, faultAt, set } = useFields()
  const value = valueAt(field)
  const words = isTime && typeof value === 'number' && value >= 1_000 ? duration(value) : undefined
  return (
    <NumberInput
      {...rest}
      {...(min !== undefined && { min })}
      {...(max !== undefined && { max })}
      size="xs"
      withAsterisk={required}
      description={[description, words].filter((text) => text !== undefined).join(' · ') || undefined}
      data-field={field}
      allowDecimal={!isWhole}
      value={typeof value === 'number' ? value : ''}
      onChange={(typed) => set(field, typeof typed === 'number' ? typed : undefined)}
      error={faultAt(field)}
    />
  )
}

interface ChoiceFieldProps extends FieldProps {
  readonly choices: readonly { readonly value: string; readonly label: string }[]
  /** It may be left out. */
  readonly isOptional?: boolean
}

export function ChoiceField({ field, required = false, choices, isOptional = true, ...rest }: ChoiceFieldProps) {
  const { valueAt, faultAt, set } = useFields()
  const value = valueAt(field)
  return (
    <Select
      {...rest}
      withAsterisk={required}
      data-field={field}
      data={[...choices]}
      value={typeof value === 'string' ? value : null}
      onChange={(chosen) => set(field, chosen ?? undefined)}
      allowDeselect={isOptional}
      clearable={isOptional}
      error={faultAt(field)}
    />
  )
}

interface CheckFieldProps extends FieldProps {
  /** What holds while it isn't said. */
  readonly otherwise: boolean
}

export function CheckField({ field, label, description, otherwise }: CheckFieldProps) {
  const { valueAt, faultAt, set } = useFields()
  const value = valueAt(field)
  return (
    <Checkbox
      size="xs"
      label={label}
      description={description}
      data-field={field}
      checked={typeof value === 'boolean' ? value : otherwise}
      onChange={(event) => set(field, event.currentTarget.checked)}
      error={faultAt(field)}
    />
  )
}

interface JsonFieldProps extends FieldProps {
  readonly rows?: number
}

/** Any JSON. What can't be read stays as it is typed, and is no value until it is mended. */
export function JsonField({ field, required = false, rows = 3, ...rest }: JsonFieldProps) {
  const { valueAt, faultAt, set, unreadAt, setUnread } = useFields()
  const value = valueAt(field)
  const unread = unreadAt(field)
  const type = (text: string): void => {
    const isEmpty = text.trim() === ''
    const isRead = isEmpty || exactJsonFault(text) === null
    // First, so that undo brings back what couldn't be read before.
    if (isRead) set(field, isEmpty ? undefined : JSON.parse(text))
    setUnread(field, isRead && sameText(text) ? null : text)
  }
  const settle = (): void => {
    if (unread !== null && (unread.trim() === '' || exactJsonFault(unread) === null)) setUnread(field, null)
  }
  return (
    <Textarea
      {...rest}
      withAsterisk={required}
      data-field={field}
      autosize
      minRows={rows}
      maxRows={20}
      spellCheck={false}
      styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
      value={unread ?? textOf(value)}
      onChange={(event) => type(event.currentTarget.value)}
      onBlur={settle}
      error={unread === null ? faultAt(field) : (unreadFault(unread) ?? faultAt(field))}
    />
  )
}

const textOf = (value: unknown): string => (value === undefined ? '' : JSON.stringify(value, null, 2))

/** A text that reads like its value needn't be kept beside it; any other has to, or it would be set anew at each letter. */
const sameText = (text: string): boolean => text === '' || textOf(JSON.parse(text) as unknown) === text

const unreadFault = (text: string): string | null => (text.trim() === '' ? null : exactJsonFault(text))

interface SuggestFieldProps extends FieldProps {
  readonly suggestions: readonly string[]
}

/** A text; what is known is suggested, and anything else may be typed. */
export function SuggestField({ field, required = false, suggestions, ...rest }: SuggestFieldProps) {
  const { valueAt, faultAt, set } = useFields()
  const value = valueAt(field)
  return (
    <Autocomplete
      {...rest}
      size="xs"
      withAsterisk={required}
      data-field={field}
      data={[...new Set(suggestions)]}
      value={typeof value === 'string' ? value : ''}
      onChange={(text) => set(field, text === '' ? undefined : text)}
      error={faultAt(field)}
    />
  )
}
