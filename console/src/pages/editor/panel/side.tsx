import { CloseButton, Group, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import { Icon } from '../../../parts/icons.tsx'
import type { IconName } from '../../../parts/icons.tsx'
import classes from './panel.module.css'

interface SideProps {
  readonly icon: IconName
  readonly title: string
  /** What it is, for who hears it. */
  readonly label: string
  readonly close: () => void
  readonly feet?: ReactNode
  readonly children: ReactNode
}

/** What stands beside the graph: what is selected, to be changed. */
export function Side({ icon, title, label, close, feet, children }: SideProps) {
  return (
    <aside className={classes.panel} aria-label={label}>
      <Group justify="space-between" wrap="nowrap" className={classes.head}>
        <Group gap={6} wrap="nowrap" miw={0}>
          <Icon name={icon} />
          <Text fw={600} truncate>
            {title}
          </Text>
        </Group>
        <CloseButton aria-label="Close the form" onClick={close} />
      </Group>
      {children}
      {feet !== undefined && (
        <Group justify="space-between" className={classes.feet}>
          {feet}
        </Group>
      )}
    </aside>
  )
}
