import { Alert, Button, Code, Group, List, Text } from '@mantine/core'
import { shownOf } from '../api/problem.ts'
import { Icon } from './icons.tsx'

interface ProblemProps {
  readonly error: unknown
  /** Asks again. */
  readonly again?: () => void
  /** Faults of these paths are shown at their fields. */
  readonly shownElsewhere?: readonly string[]
}

/** What the engine refused, or why it can't be asked: what, where, and a way to try again. */
export function Problem({ error, again, shownElsewhere = [] }: ProblemProps) {
  const { title, detail, errors } = shownOf(error)
  // What is about the whole of it is often in the detail already.
  const here = errors.filter(({ path, message }) =>
    path === '' ? !detail.includes(message) : message !== detail && !shownElsewhere.includes(path),
  )
  return (
    <Alert color="red" variant="light" title={title} icon={<Icon name="warning" />} role="alert">
      <Text size="sm">{detail}</Text>
      {here.length > 0 && (
        <List size="sm" mt={6}>
          {here.map(({ path, message }) => (
            <List.Item key={`${path} ${message}`}>
              {path !== '' && <Code>{path}</Code>} {message}
            </List.Item>
          ))}
        </List>
      )}
      {again && (
        <Group mt="xs">
          <Button variant="default" onClick={again}>
            Try again
          </Button>
        </Group>
      )}
    </Alert>
  )
}
