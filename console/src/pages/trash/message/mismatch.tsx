import { Alert, Button, Code, Group, List, Text } from '@mantine/core'
import { shownOf } from '../../../api/problem.ts'
import { Icon } from '../../../parts/icons.tsx'

interface WarningsProps {
  readonly warnings: readonly { readonly path: string; readonly message: string }[]
  readonly title: string
  readonly anyway: (() => void) | null
  readonly edit: (() => void) | null
  readonly isBusy: boolean
}

/** What of a body doesn't fit, or that it couldn't be checked; a person may know better. */
export function Warnings({ warnings, title, anyway, edit, isBusy }: WarningsProps) {
  return (
    <Alert color="orange" variant="light" title={title} icon={<Icon name="warning" />} role="alert">
      <List size="sm">
        {warnings.map(({ path, message }) => (
          <List.Item key={`${path} ${message}`}>
            {path !== '' && <Code>{path}</Code>} {message}
          </List.Item>
        ))}
      </List>
      <Group gap={6} mt="xs">
        {edit && (
          <Button variant="default" onClick={edit}>
            Edit it
          </Button>
        )}
        {anyway && (
          <Button variant="default" color="orange" loading={isBusy} onClick={anyway}>
            Replay all the same
          </Button>
        )}
      </Group>
    </Alert>
  )
}

interface MismatchProps {
  readonly error: unknown
  readonly anyway: () => void
  readonly edit: () => void
  readonly isBusy: boolean
}

export function Mismatch({ error, anyway, edit, isBusy }: MismatchProps) {
  const { errors, detail } = shownOf(error)
  if (errors.length === 0) return <Text size="sm">{detail}</Text>
  return (
    <Warnings
      title="It wasn’t sent: the node may not take the body"
      warnings={errors}
      anyway={anyway}
      edit={edit}
      isBusy={isBusy}
    />
  )
}
