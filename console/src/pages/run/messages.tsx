import { Anchor, Breadcrumbs, Button, Group, Loader, Stack, Text } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { dataOf, engine, statusOf } from '../../api/engine.ts'
import type { Run, RunMessagePage } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { Empty } from '../../parts/empty.tsx'
import type { Query } from '../../parts/filters/query.ts'
import { counted, grouped } from '../../parts/show/format.ts'
import { MessageLife } from '../../parts/life/message-life.tsx'
import { StateBadge } from '../../parts/life/state-badge.tsx'
import { Problem } from '../../parts/problem.tsx'
import { Time } from '../../parts/show/time.tsx'
import { Pieces } from './pieces.tsx'
import classes from './run.module.css'

type RunMessage = RunMessagePage['items'][number]

interface MessagesProps {
  readonly run: Run
  readonly query: Query
  readonly change: (values: Readonly<Record<string, string | null>>) => void
}

/** What the run’s messages became, page by page; each has a life of its own to be looked at, and may have become others. */
export function Messages({ run, query, change }: MessagesProps) {
  const open = (of: string, at: number): void => change({ of, page: at > 0 ? String(at) : null })
  if (run.intake === null || query.of !== undefined)
    return (
      <Made
        run={run}
        of={query.of ?? run.id}
        page={Number(query.page ?? 0)}
        open={open}
        back={() => change({ of: null, page: null })}
      />
    )
  const go = (piece: number): void => change({ piece: piece > 0 ? String(piece) : null })
  return <Pieces run={run} piece={Number(query.piece ?? 0)} go={go} openMade={open} />
}

interface MadeProps {
  readonly run: Run
  readonly of: string
  readonly page: number
  readonly open: (message: string, page: number) => void
  readonly back: () => void
}

function Made({ run, of, page, open, back }: MadeProps) {
  const result = useMade(run.id, of, page)
  // It became no others, or the queues don’t keep that any more.
  const isUnsplit = statusOf(result.error) === 404
  // That one is old is said by the page; that there is no more of it isn't.
  const isMissing = !result.data || result.isFetchNextPageError
  const items = result.data?.pages.flatMap((one) => one.items) ?? []
  const total = result.data?.pages[0]?.total ?? 0
  return (
    <Stack gap="xs">
      {of !== run.id && (
        <Breadcrumbs>
          <Anchor component="button" type="button" size="sm" onClick={back}>
            All it began with
          </Anchor>
          <Text size="sm">
            what <span className={classes.id}>{of}</span> became{page > 0 && `, page ${page}`}
          </Text>
        </Breadcrumbs>
      )}
      {result.error && isMissing && !isUnsplit && <Problem error={result.error} again={() => void result.refetch()} />}
      {result.isPending && <Loader size="xs" aria-label="Loading" />}
      {(isUnsplit || (result.data && items.length === 0)) && <TheOne run={run} of={of} page={page} open={open} />}
      {items.length > 0 && (
        <>
          <Text size="sm" c="dimmed" role="status">
            {counted(total, 'message')}
          </Text>
          <div className={classes.waterfall}>
            {items.map((message) => (
              <One key={message.id} run={run} message={message} open={open} />
            ))}
          </div>
        </>
      )}
      {result.hasNextPage && (
        <Button variant="default" loading={result.isFetchingNextPage} onClick={() => void result.fetchNextPage()}>
          {grouped(total - items.length)} more
        </Button>
      )}
    </Stack>
  )
}

function useMade(id: string, of: string, page: number) {
  return useInfiniteQuery({
    queryKey: [...keys.run(id), 'messages', of, page],
    queryFn: ({ pageParam, signal }) => {
      const query = { of, page, limit: 100, ...(pageParam !== null && { after: pageParam }) }
      return dataOf(engine.GET('/api/runs/{id}/messages', { params: { path: { id }, query }, signal }))
    },
    initialPageParam: null as string | null,
    getNextPageParam: ({ next }) => next,
  })
}

interface OneProps {
  readonly run: Run
  readonly message: RunMessage
  readonly open: (message: string, page: number) => void
}

function One({ run, message, open }: OneProps) {
  const [isOpen, setOpen] = useState(false)
  const { id, node, state, at, enteredAt, made } = message
  return (
    <>
      <button type="button" className={classes.row} aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <span>
          <StateBadge state={state} />
        </span>
        <span>
          <span className={classes.id}>{id}</span>
          {node !== null && ` at ${node}`}
          {made !== null && made > 0 && ` · became ${counted(made, 'message')}`}
        </span>
        <Time at={at ?? enteredAt} relative />
      </button>
      {isOpen && (
        <div className={classes.life}>
          <MessageLife runId={run.id} messageId={id} openMade={open} />
        </div>
      )}
    </>
  )
}

/** It was never split: the message it began with is all of it. */
function TheOne({
  run,
  of,
  page,
  open,
}: {
  readonly run: Run
  readonly of: string
  readonly page: number
  readonly open: OneProps['open']
}) {
  const isWhole = of === run.id
  return (
    <Stack gap="xs">
      {run.messages.total === 0 ? (
        <Empty icon="runs" title="No message yet">
          The run has begun and its first message is on its way.
        </Empty>
      ) : (
        <>
          <Group>
            <Text size="sm" c="dimmed">
              {isWhole ? 'The run began with one message. This is its way:' : 'It became no others. This is its way:'}
            </Text>
          </Group>
          <MessageLife runId={run.id} messageId={of} page={page} openMade={open} />
        </>
      )}
    </Stack>
  )
}
