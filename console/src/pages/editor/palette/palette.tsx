import { CloseButton, Text, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { DragEvent } from 'react'
import type { Worker } from '../../../api/engine.ts'
import { Icon } from '../../../parts/icons.tsx'
import { typeOf } from '../state/graph.ts'
import { shelvesOf } from './entries.ts'
import type { Entry } from './entries.ts'
import classes from './palette.module.css'

/** The kind of what a drag carries, which is the id of an entry. */
export const dragType = 'application/x-sluice-node'

interface PaletteProps {
  readonly workers: readonly Worker[]
  /** Why workers aren't shown; null: they are. */
  readonly whyNoWorkers: string | null
  /** What it will be connected to, when it is added by a click. */
  readonly beside: string | null
  readonly add: (entry: Entry) => void
  /** Where it stands over the graph, since the page is narrow. */
  readonly close: () => void
}

/** All that can be added: drag it onto the graph, or press it. */
export function Palette({ workers, whyNoWorkers, beside, add, close }: PaletteProps) {
  const [text, setText] = useState('')
  const shelves = shelvesOf(workers, text)
  return (
    <div className={classes.palette} role="group" aria-label="Nodes to add">
      <div role="search">
        <TextInput
          aria-label="Search what can be added"
          placeholder="Search nodes"
          leftSection={<Icon name="search" size={14} />}
          rightSection={
            text !== '' && <CloseButton size="xs" aria-label="Clear the search" onClick={() => setText('')} />
          }
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
      </div>
      <CloseButton
        hiddenFrom="sm"
        aria-label="Close what can be added"
        onClick={close}
        className={classes.close ?? ''}
      />
      <Text size="xs" c="dimmed">
        {beside === null ? 'Drag onto the graph, or press.' : `Drag, or press: joined to ${beside}.`}
      </Text>
      <div className={classes.shelves}>
        {shelves.map(({ title, entries }) => (
          <section key={title} aria-label={title}>
            <h2 className={classes.title}>{title}</h2>
            {entries.map((entry) => (
              <Item key={entry.id} entry={entry} add={() => add(entry)} />
            ))}
          </section>
        ))}
        {shelves.length === 0 && <Text size="sm">Nothing is called like that.</Text>}
        {whyNoWorkers !== null && (
          <Text size="xs" c="dimmed">
            {whyNoWorkers}
          </Text>
        )}
      </div>
    </div>
  )
}

function Item({ entry, add }: { readonly entry: Entry; readonly add: () => void }) {
  const drag = (event: DragEvent): void => {
    event.dataTransfer.setData(dragType, entry.id)
    event.dataTransfer.effectAllowed = 'copy'
  }
  return (
    <button type="button" draggable onDragStart={drag} onClick={add} className={classes.item}>
      <Icon name={typeOf({ name: '', ...entry.values })} size={14} />
      <span>
        <b>{entry.title}</b>
        {entry.description !== '' && <small>{entry.description}</small>}
      </span>
    </button>
  )
}
