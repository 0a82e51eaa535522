import { Button, Center, Skeleton, Stack } from '@mantine/core'
import type { ReactNode } from 'react'
import { Problem } from '../problem.tsx'
import type { List } from './use-list.ts'

interface ListedProps<T> {
  readonly list: List<T>
  /** Where there is nothing. */
  readonly empty: ReactNode
  readonly children: (items: readonly T[]) => ReactNode
}

/** What a list has, or why it has nothing; and the rest of it. */
export function Listed<T>({
  list: { items, isPending, error, isCutShort, again, more, isLoadingMore },
  empty,
  children,
}: ListedProps<T>) {
  if (isPending) return <Loading />
  if (error !== null && items.length === 0) return <Problem error={error} again={again} />
  if (items.length === 0) return empty
  return (
    <Stack gap="sm">
      {children(items)}
      {isCutShort && <Problem error={error} />}
      {more && (
        <Center>
          <Button variant="default" onClick={more} loading={isLoadingMore}>
            Show more
          </Button>
        </Center>
      )}
    </Stack>
  )
}

export function Loading() {
  return (
    <Stack gap={6} role="status" aria-label="Loading">
      <Skeleton h={28} />
      <Skeleton h={28} />
      <Skeleton h={28} />
    </Stack>
  )
}
