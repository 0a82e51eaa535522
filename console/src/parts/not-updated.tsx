import { Button, Group, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import { shownOf } from '../api/problem.ts'
import { useOutdated } from '../live/outdated.ts'
import { Icon } from './icons.tsx'
import { Time } from './show/time.tsx'

/** Says that what the page shows is older than it looks, and why: what was read last stays, since it tells more than nothing. */
export function NotUpdated() {
  const outdated = useOutdated()
  if (outdated === null) return null
  const { since, error, again } = outdated
  return (
    <Warning {...(error !== null && { again })}>
      Not updated since <Time at={new Date(since).toISOString()} clock />: {reasonOf(error)}
    </Warning>
  )
}

function reasonOf(error: unknown): string {
  if (error === null) return 'the connection over which changes are told is lost, and tried again by itself.'
  const { title, detail, isAway } = shownOf(error)
  if (isAway) return 'the engine can’t be reached, and is tried again by itself.'
  return `${title.charAt(0).toLowerCase()}${title.slice(1)}. ${detail.charAt(0).toUpperCase()}${detail.slice(1)}`
}

/** Of something that was asked for. */
export interface Asked {
  readonly error: unknown
  readonly data: unknown
  readonly refetch: () => Promise<unknown>
}

/** Says that something was never answered of what a page puts together, and why. */
export function NotShown({ asked }: { readonly asked: readonly Asked[] }) {
  const missing = asked.filter(({ error, data }) => error !== null && data === undefined)
  if (missing.length === 0) return null
  const again = (): Promise<unknown> => Promise.all(missing.map(({ refetch }) => refetch()))
  return <Warning again={again}>Some of it isn’t shown: {reasonOf(missing[0]?.error)}</Warning>
}

interface WarningProps {
  readonly again?: () => Promise<unknown>
  readonly children: ReactNode
}

function Warning({ again, children }: WarningProps) {
  return (
    <Group gap={6} wrap="nowrap" role="status" c="var(--warn)">
      <Icon name="warning" size={14} />
      <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
        {children}
      </Text>
      {again && (
        <Button variant="subtle" size="compact-xs" onClick={() => void again()} style={{ flex: 'none' }}>
          Try again
        </Button>
      )}
    </Group>
  )
}
