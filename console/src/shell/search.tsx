import { Group, Kbd, Modal, Text, TextInput, UnstyledButton, VisuallyHidden } from '@mantine/core'
import { useDebouncedValue, useDisclosure, useHotkeys } from '@mantine/hooks'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { KeyboardEvent } from 'react'
import { useLocation } from 'wouter'
import { dataOf, engine } from '../api/engine.ts'
import type { Found } from '../api/engine.ts'
import { Icon } from '../parts/icons.tsx'
import type { IconName } from '../parts/icons.tsx'
import classes from './search.module.css'

const typingMs = 150

/** The way to anything by its name or id, from anywhere. */
export function Search() {
  const [isOpen, { open, close }] = useDisclosure()
  useHotkeys([['mod+K', open]], [])
  return (
    <>
      <UnstyledButton onClick={open} className={classes.open} aria-keyshortcuts="Control+K">
        <Icon name="search" size={14} />
        <VisuallyHidden>Search</VisuallyHidden>
        <Text span size="sm" c="dimmed" visibleFrom="sm" aria-hidden>
          Search
        </Text>
        <Kbd size="xs" visibleFrom="sm" aria-hidden>
          Ctrl K
        </Kbd>
      </UnstyledButton>
      {isOpen && <Dialog close={close} />}
    </>
  )
}

function Dialog({ close }: { readonly close: () => void }) {
  const [typed, setTyped] = useState('')
  const [text] = useDebouncedValue(typed.trim(), typingMs)
  const [at, setAt] = useState(0)
  const [, navigate] = useLocation()
  const { data: found = [], isFetched } = useQuery({
    queryKey: ['search', text],
    queryFn: async () => (await dataOf(engine.GET('/api/search', { params: { query: { text } } }))).items,
    enabled: text !== '',
    placeholderData: keepPreviousData,
  })
  const shown = text === '' ? [] : found
  const go = (one: Found | undefined): void => {
    if (one === undefined) return
    close()
    navigate(placeOf(one))
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    if (step !== 0) {
      event.preventDefault()
      setAt((at + step + shown.length) % Math.max(1, shown.length))
    }
    if (event.key === 'Enter') go(shown[at])
  }
  return (
    <Modal
      opened
      onClose={close}
      withCloseButton={false}
      centered={false}
      yOffset="10vh"
      padding={0}
      aria-label="Search"
    >
      <TextInput
        variant="unstyled"
        size="md"
        className={classes.input}
        placeholder="A topology, a node, a run or a message, by name or id"
        aria-label="Search"
        role="combobox"
        aria-expanded={shown.length > 0}
        aria-controls="found"
        aria-activedescendant={shown[at] === undefined ? undefined : `found-${at}`}
        value={typed}
        onChange={(event) => {
          setTyped(event.currentTarget.value)
          setAt(0)
        }}
        onKeyDown={onKeyDown}
        leftSection={<Icon name="search" />}
        data-autofocus
      />
      <div role="listbox" id="found" aria-label="What was found" className={classes.list}>
        {shown.map((one, index) => (
          <div
            key={`${one.kind} ${one.id}`}
            id={`found-${index}`}
            role="option"
            aria-selected={index === at}
            className={classes.option}
            onClick={() => go(one)}
            onMouseMove={() => setAt(index)}
          >
            <Option found={one} />
          </div>
        ))}
      </div>
      {text !== '' && isFetched && shown.length === 0 && (
        <Text size="sm" c="dimmed" p="md">
          Nothing is called that. A part of a name will do, or the beginning of an id.
        </Text>
      )}
    </Modal>
  )
}

const kinds: Readonly<Record<Found['kind'], { icon: IconName; word: string }>> = {
  topology: { icon: 'topologies', word: 'topology' },
  node: { icon: 'custom', word: 'node' },
  run: { icon: 'runs', word: 'run' },
  trash: { icon: 'trash', word: 'in Trash' },
}

function Option({ found }: { readonly found: Found }) {
  const { kind, id, name, topology } = found
  const { icon, word } = kinds[kind]
  const isById = kind === 'run' || kind === 'trash'
  return (
    <Group gap="xs" wrap="nowrap">
      <Icon name={icon} size={14} />
      <Text span size="sm" fw={500} truncate>
        {isById ? id : name}
      </Text>
      <Text span size="xs" c="dimmed" className={classes.where}>
        {kind === 'topology' ? word : `${word} · ${topology}`}
      </Text>
    </Group>
  )
}

function placeOf({ kind, id, name, topology }: Found): string {
  switch (kind) {
    case 'topology':
      return `/topologies/${topology}`
    case 'node':
      return `/topologies/${topology}?node=${name}`
    case 'run':
      return `/runs/${id}`
    case 'trash':
      return `/trash/${id}`
  }
}
