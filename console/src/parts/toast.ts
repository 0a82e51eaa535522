import { notifications } from '@mantine/notifications'
import type { ReactNode } from 'react'
import { shownOf } from '../api/problem.ts'

const closeButtonProps = { 'aria-label': 'Close' }
const shortMs = 4_000
const longMs = 12_000

/** What was done; with a link there is time to follow it. */
export function told(message: ReactNode): void {
  notifications.show({
    message,
    color: 'teal',
    autoClose: typeof message === 'string' ? shortMs : longMs,
    closeButtonProps,
  })
}

/** What was refused where no form shows it. */
export function failed(what: string, error: unknown): void {
  const { detail } = shownOf(error)
  notifications.show({ title: what, message: detail, color: 'red', autoClose: longMs, closeButtonProps })
}
