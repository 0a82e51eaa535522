import { Stack, Text, Textarea, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { Editing } from '../editing.ts'
import { faultAt } from '../checking/faults.ts'
import { settingHead } from '../state/edits.ts'
import classes from './panel.module.css'
import { Side } from './side.tsx'

/** What is said of the topology as a whole. */
export function TopologyPanel({ editing: { state, dispatch, faults } }: { readonly editing: Editing }) {
  const { name, description = '', labels = {} } = state.graph.head
  const own = faults.filter(({ of }) => of === 'topology')
  const set = (field: string, value: unknown): void =>
    dispatch({ kind: 'edit', edit: settingHead(field, value), field: `topology ${field}` })
  return (
    <Side
      icon="topologies"
      title={name}
      label="The topology"
      close={() => dispatch({ kind: 'select', selected: null })}
    >
      <Stack gap="xs" className={classes.body}>
        <TextInput
          label="Name"
          description="a–z, 0–9 and -; it is part of the addresses of starts"
          data-field="name"
          withAsterisk
          spellCheck={false}
          value={name}
          onChange={(event) => set('name', event.currentTarget.value)}
          error={faultAt(own, 'name')}
        />
        <Textarea
          label="Description"
          data-field="description"
          autosize
          minRows={2}
          maxRows={10}
          value={description}
          onChange={(event) => set('description', event.currentTarget.value || undefined)}
          error={faultAt(own, 'description')}
        />
        <Labels
          key={JSON.stringify(labels)}
          labels={labels}
          set={(value) => set('labels', value)}
          error={faultAt(own, 'labels')}
        />
        {own
          .filter(({ field }) => field === '' || field === 'nodes' || field === 'edges')
          .map(({ field, message }) => (
            <Text key={`${field} ${message}`} size="sm" c="var(--bad)" data-field={field}>
              {message}
            </Text>
          ))}
      </Stack>
    </Side>
  )
}

interface LabelsProps {
  readonly labels: Readonly<Record<string, string>>
  readonly set: (labels: Record<string, string> | undefined) => void
  readonly error: string | null
}

/** A line each; taken over when the field is left. */
function Labels({ labels, set, error }: LabelsProps) {
  const before = Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n')
  const [text, setText] = useState(before)
  const leave = (): void => {
    if (text === before) return
    const lines = text.split('\n').filter((line) => line.trim() !== '')
    const pairs = lines.map((line) => {
      const [name = '', ...value] = line.split('=')
      return [name.trim(), value.join('=').trim()] as const
    })
    set(pairs.length === 0 ? undefined : Object.fromEntries(pairs))
  }
  return (
    <Textarea
      label="Labels"
      description="A line each: team=shop"
      data-field="labels"
      autosize
      minRows={1}
      spellCheck={false}
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
      onBlur={leave}
      error={error}
    />
  )
}
