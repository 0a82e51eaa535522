import { Group, Text, Tooltip } from '@mantine/core'
import { useLiveState } from '../live/live.tsx'
import type { StreamState } from '../live/stream.ts'
import classes from './shell.module.css'

const says: Readonly<Record<StreamState, { word: string; text: string }>> = {
  off: { word: 'Off', text: 'Nothing is told' },
  connecting: { word: 'Connecting', text: 'Connecting to the engine' },
  live: { word: 'Live', text: 'What is shown changes as it happens' },
  reconnecting: { word: 'Reconnecting', text: 'The connection to the engine is lost: what is shown may be old' },
  resting: { word: 'Resting', text: 'The page was hidden: it goes on when it is looked at' },
}

/** Whether what is shown is what is. */
export function LiveSign() {
  const state = useLiveState()
  const { word, text } = says[state]
  return (
    <Tooltip label={text}>
      <Group gap={6} wrap="nowrap" role="status" tabIndex={0} className={classes.live} data-state={state}>
        <span className={classes.dot} />
        <Text span size="xs" visibleFrom="xs">
          {word}
        </Text>
      </Group>
    </Tooltip>
  )
}
