import { ActionIcon, Menu, Text } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { enter, logOut, useSession } from '../api/session.ts'
import { Icon } from '../parts/icons.tsx'
import { zones } from '../parts/zone/moment.ts'
import type { Zone } from '../parts/zone/moment.ts'
import { chooseZone, useZone } from '../parts/zone/zone.ts'
import { failed } from '../parts/toast.ts'

const words: Readonly<Record<Zone, string>> = { local: 'Local, and how long ago', utc: 'UTC' }

/** Who is logged in, what he may do, how times are shown, and the way out. */
export function Account() {
  const session = useSession()
  const client = useQueryClient()
  const zone = useZone()
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
        <Menu.Label>Times</Menu.Label>
        {zones.map((one) => (
          <Menu.Item
            key={one}
            aria-current={one === zone || undefined}
            leftSection={<Icon name="cron" />}
            rightSection={one === zone ? <Icon name="check" /> : null}
            onClick={() => chooseZone(one)}
          >
            {words[one]}
          </Menu.Item>
        ))}
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
