import { CloseButton, Group, SegmentedControl, Text, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { useState } from 'react'
import { useSearchParams } from 'wouter'
import { counted } from '../../parts/show/format.ts'
import { Icon } from '../../parts/icons.tsx'
import classes from './topologies.module.css'

const typingMs = 250

const shows = [
  { value: '', label: 'All' },
  { value: 'attention', label: 'Attention' },
  { value: 'published', label: 'Published' },
  { value: 'draft', label: 'Drafts' },
  { value: 'paused', label: 'Paused' },
  { value: 'disabled', label: 'Disabled' },
]

/** What is looked for; the address has it, so that it can be sent to somebody. */
export function Filters({ total }: { readonly total: number | null }) {
  const [params, setParams] = useSearchParams()
  const set = (name: string, value: string): void =>
    setParams(
      (known) => {
        const next = new URLSearchParams(known)
        next.delete('after')
        if (value === '') next.delete(name)
        else next.set(name, value)
        return next
      },
      { replace: true },
    )
  return (
    <Group gap="xs" className={classes.filters}>
      <Typed
        name="text"
        label="Search by name or description"
        placeholder="Search"
        value={params.get('text') ?? ''}
        set={set}
        icon
      />
      <Typed name="labels" label="Labels" placeholder="team=shop" value={params.get('labels') ?? ''} set={set} />
      <SegmentedControl
        size="xs"
        aria-label="Which ones"
        data={shows}
        value={params.get('show') ?? ''}
        onChange={(value) => set('show', value)}
        className={classes.shows}
      />
      <Text size="sm" c="dimmed" ml="auto" aria-live="polite">
        {total === null ? '' : counted(total, 'topology', 'topologies')}
      </Text>
    </Group>
  )
}

interface TypedProps {
  readonly name: string
  readonly label: string
  readonly placeholder: string
  readonly value: string
  readonly set: (name: string, value: string) => void
  readonly icon?: boolean
}

/** Looks as somebody types, but not at every letter. */
function Typed({ name, label, placeholder, value, set, icon = false }: TypedProps) {
  const [typed, setTyped] = useState(value)
  const [known, setKnown] = useState(value)
  const later = useDebouncedCallback((text: string) => set(name, text), typingMs)
  // The address was changed by something else, such as Back.
  if (value !== known) {
    setKnown(value)
    setTyped(value)
  }
  const type = (text: string): void => {
    setTyped(text)
    later(text)
  }
  return (
    <TextInput
      aria-label={label}
      placeholder={placeholder}
      value={typed}
      onChange={(event) => type(event.currentTarget.value)}
      leftSection={icon ? <Icon name="search" size={14} /> : undefined}
      rightSection={
        typed === '' ? undefined : <CloseButton size="xs" aria-label={`Clear ${label}`} onClick={() => type('')} />
      }
      className={classes.typed}
    />
  )
}
