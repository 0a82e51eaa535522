import { Button, Group, Text } from '@mantine/core'
import { shownOf } from '../api/problem.ts'
import { Icon } from './icons.tsx'

/** Of something that was asked for. */
export interface Asked {
  readonly error: unknown
  /** Milliseconds; 0: it was never answered. */
  readonly dataUpdatedAt: number
  readonly refetch: () => Promise<unknown>
}

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' })

/** Says that what is shown is older than it looks, and why: what was read last stays, since it tells more than nothing. */
export function NotUpdated({ asked }: { readonly asked: readonly Asked[] }) {
  const failing = asked.filter(({ error }) => error !== null)
  if (failing.length === 0) return null
  const since = new Date(Math.min(...failing.map(({ dataUpdatedAt }) => dataUpdatedAt)))
  const { title, detail } = shownOf(failing[0]?.error)
  return (
    <Group gap={6} wrap="nowrap" role="status" c="var(--warn)">
      <Icon name="warning" size={14} />
      <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
        {since.getTime() === 0 ? (
          'Some of it isn’t shown'
        ) : (
          <>
            Not updated since{' '}
            <time dateTime={since.toISOString()} title={`${since.toISOString().replace('T', ' ').slice(0, 19)} UTC`}>
              {clock.format(since)}
            </time>
          </>
        )}
        : {title.toLowerCase()}. {detail}
      </Text>
      <Button
        variant="subtle"
        size="compact-xs"
        onClick={() => void Promise.all(failing.map(({ refetch }) => refetch()))}
        style={{ flex: 'none' }}
      >
        Try again
      </Button>
    </Group>
  )
}
