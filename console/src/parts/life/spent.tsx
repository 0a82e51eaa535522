import { Group, Text, Tooltip } from '@mantine/core'
import type { MessageStepSpent } from '../../api/engine.ts'
import { duration } from '../show/format.ts'
import classes from './life.module.css'

/** For what time went, in the order in which it is shown. */
export const spentKinds = [
  ['queuedMs', 'in the queue'],
  ['calledMs', 'at the worker'],
  ['limitMs', 'waiting for a limit'],
  ['retryMs', 'waiting to be tried again'],
  ['otherMs', 'otherwise: paused, behind a breaker, for its turn'],
] as const satisfies readonly (readonly [keyof MessageStepSpent, string])[]

/** A bar with a share for each. */
export function SpentBar({ spent, width }: { readonly spent: MessageStepSpent; readonly width?: string }) {
  const total = spentKinds.reduce((sum, [kind]) => sum + spent[kind], 0)
  if (total === 0) return null
  const said = spentKinds.filter(([kind]) => spent[kind] > 0).map(([kind, text]) => `${duration(spent[kind])} ${text}`)
  return (
    <Tooltip label={said.join(', ')}>
      <div
        className={classes.spent}
        style={width === undefined ? {} : { width }}
        role="img"
        aria-label={said.join(', ')}
      >
        {spentKinds.map(([kind]) => (
          <span key={kind} className={classes[kind]} style={{ width: `${(100 * spent[kind]) / total}%` }} />
        ))}
      </div>
    </Tooltip>
  )
}

/** What its colours mean. */
export function SpentKey() {
  return (
    <Group gap="sm">
      {spentKinds.map(([kind, text]) => (
        <Text key={kind} span size="xs" c="dimmed" className={classes.key}>
          <span className={`${classes.swatch} ${classes[kind]}`} />
          {text}
        </Text>
      ))}
    </Group>
  )
}
