import { notifications } from '@mantine/notifications'
import type { ReactNode } from 'react'
import { shownOf } from '../api/problem.ts'

const closeButtonProps = { 'aria-label': 'Close' }
const shortMs = 4_000
const longMs = 12_000

/** What was done. */
export function told(message: ReactNode): void {
  notifications.show({ message, color: 'teal', autoClose: shortMs, closeButtonProps })
}

/** What was refused where no form shows it. */
export function failed(what: string, error: unknown): void {
  const { detail } = shownOf(error)
  notifications.show({ title: what, message: detail, color: 'red', autoClose: longMs, closeButtonProps })
}
