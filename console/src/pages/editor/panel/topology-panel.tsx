import { Stack, Text, Textarea, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { Editing } from '../editing.ts'
import { faultAt } from '../checking/faults.ts'
import { settingHead } from '../state/edits.ts'
import { labelsOf, saySame, textOfLabels } from '../state/labels.ts'
import type { Labels } from '../state/labels.ts'
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
        <LabelsField labels={labels} set={(value) => set('labels', value)} error={faultAt(own, 'labels')} />
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

interface LabelsFieldProps {
  readonly labels: Labels
  readonly set: (labels: Labels | undefined) => void
  readonly error: string | null
}

/** A line each. Taken over at each letter; the text stays as it is typed until the field is left, or undo changes what it says. */
function LabelsField({ labels, set, error }: LabelsFieldProps) {
  const [typed, setTyped] = useState<string | null>(null)
  const text = typed !== null && saySame(labelsOf(typed), labels) ? typed : textOfLabels(labels)
  const type = (next: string): void => {
    setTyped(next)
    const read = labelsOf(next)
    if (!saySame(read, labels)) set(Object.keys(read).length === 0 ? undefined : read)
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
      onChange={(event) => type(event.currentTarget.value)}
      onBlur={() => setTyped(null)}
      error={error}
    />
  )
}
