import { ActionIcon, Menu, Text } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { enter, logOut, useSession } from '../api/session.ts'
import { Icon } from '../parts/icons.tsx'
import { failed } from '../parts/toast.ts'

/** Who is logged in, what he may do, and the way out. */
export function Account() {
  const session = useSession()
  const client = useQueryClient()
  const leave = async (): Promise<void> => {
    try {
      await logOut()
      enter(client, null)
    } catch (error) {
      failed('Not logged out', error)
    }
  }
  return (
    <Menu position="bottom-end" width={240}>
      <Menu.Target>
        <ActionIcon aria-label={`Logged in as ${session.name}`}>
          <Icon name="user" />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Text size="sm" fw={600}>
            {session.name}
          </Text>
          <Text size="xs">May: {session.scopes.join(', ')}</Text>
          {session.topology !== null && <Text size="xs">Only of {session.topology}</Text>}
        </Menu.Label>
        <Menu.Divider />
        <Menu.Item component="a" href="/api/docs" target="_blank" leftSection={<Icon name="external" />}>
          The API
        </Menu.Item>
        <Menu.Item leftSection={<Icon name="leave" />} onClick={() => void leave()}>
          Log out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
