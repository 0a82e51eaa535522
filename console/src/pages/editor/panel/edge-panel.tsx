import { Button, Stack, Text } from '@mantine/core'
import { removeSelected } from '../editing.ts'
import type { Editing } from '../editing.ts'
import { edgeText } from '../checking/faults.ts'
import classes from './panel.module.css'
import { Side } from './side.tsx'

interface EdgePanelProps {
  readonly editing: Editing
  /** Key of the edge. */
  readonly edge: string
}

/** The edge that is selected. */
export function EdgePanel({ editing, edge }: EdgePanelProps) {
  const { state, dispatch, faults } = editing
  const text = edgeText(state.graph, edge)
  const own = faults.filter(({ of, key }) => of === 'edge' && key === edge)
  return (
    <Side
      icon="topologies"
      title={text}
      label={`Edge ${text}`}
      close={() => dispatch({ kind: 'select', selected: null })}
      feet={
        <Button variant="default" onClick={() => removeSelected(editing)}>
          Remove the edge
        </Button>
      }
    >
      <Stack gap="xs" className={classes.body}>
        {own.map(({ field, message }) => (
          <Text key={`${field} ${message}`} size="sm" c="var(--bad)">
            {message}
          </Text>
        ))}
        <Text size="sm">What goes on from the first node comes to the second one, each message once.</Text>
        <Text size="xs" c="dimmed">
          Delete removes it, Ctrl-Z brings it back.
        </Text>
      </Stack>
    </Side>
  )
}
