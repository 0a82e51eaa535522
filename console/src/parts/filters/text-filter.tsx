import { Autocomplete, CloseButton, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { useState } from 'react'
import { Icon } from '../icons.tsx'

const typingMs = 300

interface TextFilterProps {
  readonly label: string
  /** Instead of the label, where that is too long for the field. */
  readonly placeholder?: string
  readonly value: string | undefined
  /** Null: nothing is looked for. */
  readonly set: (value: string | null) => void
  readonly suggestions?: readonly string[]
  readonly w?: number
  readonly className?: string | undefined
}

/** Acts when one stops typing. */
export function TextFilter({
  label,
  placeholder = label,
  value = '',
  set,
  suggestions,
  w = 200,
  className,
}: TextFilterProps) {
  const [typed, setTyped] = useState(value)
  const [known, setKnown] = useState(value)
  // The address was changed otherwise: by the browser's back, or a link.
  if (known !== value) {
    setKnown(value)
    if (value !== typed.trim()) setTyped(value)
  }
  const tell = useDebouncedCallback((text: string) => set(text.trim() === '' ? null : text.trim()), typingMs)
  const change = (text: string): void => {
    setTyped(text)
    tell(text)
  }
  const field = {
    'aria-label': label,
    placeholder,
    leftSection: <Icon name="search" size={14} />,
    rightSection: typed !== '' && (
      <CloseButton size="xs" aria-label={`Clear ${label.toLowerCase()}`} onClick={() => change('')} />
    ),
    value: typed,
    maxLength: 200,
    ...(className === undefined ? { w } : { className }),
  }
  if (suggestions !== undefined) return <Autocomplete {...field} data={[...suggestions]} onChange={change} />
  return <TextInput {...field} onChange={(event) => change(event.currentTarget.value)} />
}
