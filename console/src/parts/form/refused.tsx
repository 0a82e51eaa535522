import { Alert, Button, Group, List, Text } from '@mantine/core'
import { statusOf } from '../../api/engine.ts'
import { Icon } from '../icons.tsx'
import { Problem } from '../problem.tsx'
import type { Change, Race } from './pinned.tsx'

interface RefusedProps {
  readonly error: unknown
  /** Null: there is nothing that somebody else might have changed. */
  readonly race: Race | null
  /** Faults of these paths are shown at their fields. */
  readonly shownElsewhere?: readonly string[]
  /** There is something typed, that may be kept or dropped. */
  readonly isForm: boolean
}

/** Why it was refused; where somebody else was faster, what that one changed, and what can be done. */
export function Refused({ error, race, shownElsewhere = [], isForm }: RefusedProps) {
  if (race === null || statusOf(error) !== 412) return <Problem error={error} shownElsewhere={shownElsewhere} />
  if (race.changes === null && race.kept === error)
    return (
      <Alert color="yellow" variant="light" icon={<Icon name="info" />} role="alert">
        {isForm
          ? 'What you typed is kept. Saved now, it replaces what somebody else stored.'
          : 'It is shown as it is stored now.'}
      </Alert>
    )
  return (
    <Alert
      color="red"
      variant="light"
      icon={<Icon name="warning" />}
      title="Somebody else changed it meanwhile"
      role="alert"
    >
      <Text size="sm">
        Nothing was done.{isForm && ' What you typed is still here: take what is stored instead, or keep yours.'}
      </Text>
      {race.changes === null ? (
        <Text size="sm">What is stored now could not be read.</Text>
      ) : (
        <Changes changes={race.changes} />
      )}
      <Ways error={error} race={race} isForm={isForm} />
    </Alert>
  )
}

function Changes({ changes }: { readonly changes: readonly Change[] }) {
  if (changes.length === 0) return <Text size="sm">What is shown here is the same as before.</Text>
  return (
    <List size="sm" mt={6}>
      {changes.map(({ name, before, now }) => (
        <List.Item key={name} style={{ overflowWrap: 'anywhere' }}>
          {name}: <s>{before}</s> {now}
        </List.Item>
      ))}
    </List>
  )
}

function Ways({ error, race, isForm }: Omit<RefusedProps, 'race'> & { readonly race: Race }) {
  const keep = (): void => race.keep(error)
  return (
    <Group mt="xs" gap="xs">
      {race.changes === null ? (
        <Button variant="default" onClick={race.again}>
          Look again
        </Button>
      ) : isForm ? (
        <>
          <Button variant="default" onClick={race.take}>
            Take what is stored
          </Button>
          <Button variant="default" onClick={keep}>
            Keep mine
          </Button>
        </>
      ) : (
        <Button variant="default" onClick={keep}>
          Look at it as it is now
        </Button>
      )}
    </Group>
  )
}
