import { ActionIcon, Menu, useMantineColorScheme } from '@mantine/core'
import type { MantineColorScheme } from '@mantine/core'
import { Icon } from '../parts/icons.tsx'
import type { IconName } from '../parts/icons.tsx'

const schemes: readonly { scheme: MantineColorScheme; icon: IconName; text: string }[] = [
  { scheme: 'light', icon: 'sun', text: 'Light' },
  { scheme: 'dark', icon: 'moon', text: 'Dark' },
  { scheme: 'auto', icon: 'auto', text: 'As the system' },
]

/** Light, dark, or what the system says; the browser remembers it. */
export function SchemeSwitch() {
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const icon = schemes.find(({ scheme }) => scheme === colorScheme)?.icon ?? 'auto'
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon aria-label="Light or dark">
          <Icon name={icon} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {schemes.map(({ scheme, icon, text }) => (
          <Menu.Item
            key={scheme}
            leftSection={<Icon name={icon} />}
            rightSection={scheme === colorScheme ? <Icon name="check" /> : null}
            onClick={() => setColorScheme(scheme)}
          >
            {text}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}
