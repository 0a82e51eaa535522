import { Group } from '@mantine/core'
import type { ReactNode } from 'react'
import classes from './foot.module.css'

/** The buttons of a window: in sight, however long it is. */
export function Foot({ children }: { readonly children: ReactNode }) {
  return (
    <Group justify="flex-end" className={classes.foot}>
      {children}
    </Group>
  )
}
