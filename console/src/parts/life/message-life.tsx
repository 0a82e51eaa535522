import { Anchor, Button, Group, Loader, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Link } from 'wouter'
import type { MessageStep, MessageTimeline } from '../../api/engine.ts'
import { dataOf, engine, statusOf } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { shownOf } from '../../api/problem.ts'
import { counted, duration } from '../show/format.ts'
import { Quiet } from './quiet.tsx'
import { Problem } from '../problem.tsx'
import { Time } from '../show/time.tsx'
import { Attempts } from './attempts.tsx'
import classes from './life.module.css'
import { SpentBar } from './spent.tsx'
import { StateBadge } from './state-badge.tsx'

interface MessageLifeProps {
  readonly runId: string
  readonly messageId: string
  readonly page?: number
  /** Shows what a message was split into. */
  readonly openMade?: (of: string, page: number) => void
}

/** From node to node, through delays, Trash and replays: what happened to one message. */
export function MessageLife({ runId, messageId, page = 0, openMade }: MessageLifeProps) {
  const [from, setFrom] = useState(page)
  const { data, error, refetch } = useQuery({
    queryKey: [...keys.run(runId), 'message', messageId, from],
    queryFn: () => {
      const params = { path: { id: runId, message: messageId }, query: { page: from } }
      return dataOf(engine.GET('/api/runs/{id}/messages/{message}/timeline', { params }))
    },
  })
  if (error && !data && statusOf(error) === 404) return <Quiet text={shownOf(error).detail} />
  if (error && !data) return <Problem error={error} again={() => void refetch()} />
  if (!data) return <Loader size="xs" aria-label="Loading" />
  const { nextPage } = data
  return (
    <Stack gap="xs">
      {!data.complete && <Kept since={data.since} />}
      {data.steps.length === 0 ? (
        <Text size="sm" c="dimmed">
          Nothing of this message is kept any more: the run’s counters have what became of it.
        </Text>
      ) : (
        <ol className={classes.steps}>
          {data.steps.map((step, at) => (
            <Step key={at} step={step} openMade={openMade} />
          ))}
        </ol>
      )}
      {nextPage !== null && (
        <Button variant="default" onClick={() => setFrom(nextPage)} style={{ alignSelf: 'flex-start' }}>
          Pages from {nextPage}
        </Button>
      )}
    </Stack>
  )
}

function Kept({ since }: Pick<MessageTimeline, 'since'>) {
  return (
    <Text size="xs" c="dimmed">
      {since === null ? (
        'Single messages of then are not kept any more.'
      ) : (
        <>
          Single messages are kept since <Time at={since} />: what was before is not shown.
        </>
      )}
    </Text>
  )
}

const tones: Readonly<Record<MessageStep['state'], 'good' | 'bad' | 'now' | 'quiet'>> = {
  waiting: 'now',
  delayed: 'now',
  splitting: 'now',
  forwarded: 'good',
  split: 'good',
  done: 'good',
  trashed: 'bad',
  cancelled: 'quiet',
  gone: 'quiet',
}

interface StepProps {
  readonly step: MessageStep
  readonly openMade: MessageLifeProps['openMade']
}

function Step({ step, openMade }: StepProps) {
  const { node, state, enteredAt, at, durationMs, calls, spent, attempts, made, trash, replay, page, message } = step
  return (
    <li className={classes.step} data-tone={tones[state]}>
      <Group gap={8}>
        <Text span fw={600} size="sm">
          {node}
        </Text>
        <StateBadge state={state} />
        {replay > 0 && (
          <Text span size="xs" c="dimmed">
            replay {replay}
          </Text>
        )}
        {page > 0 && (
          <Text span size="xs" c="dimmed">
            page {page}
          </Text>
        )}
        {made !== null && made > 0 && openMade && (
          <Button variant="subtle" size="compact-xs" onClick={() => openMade(message, page)}>
            {counted(made, 'message')}
          </Button>
        )}
      </Group>
      <Text size="xs" c="dimmed">
        {enteredAt !== null && (
          <>
            came <Time at={enteredAt} />
          </>
        )}
        {at !== null && durationMs !== null && <>, settled after {duration(durationMs)}</>}
        {calls !== null && calls > 0 && `${enteredAt === null ? '' : ', '}${counted(calls, 'call')}`}
      </Text>
      <StepWait step={step} />
      {spent !== null && <SpentBar spent={spent} />}
      {trash !== null && (
        <Text size="sm" mt={4}>
          <Anchor component={Link} href={`/trash?message=${encodeURIComponent(trash.id)}&state=all`} size="sm">
            {trash.error.title}
          </Anchor>
          {trash.settled !== null && (
            <>
              {' '}
              – {trash.settled.as} <Time at={trash.settled.at} relative />
            </>
          )}
        </Text>
      )}
      {attempts.length > 0 && trash === null && <Attempts attempts={attempts} />}
    </li>
  )
}

function StepWait({ step: { held, dueAt } }: { readonly step: MessageStep }) {
  if (held === null && dueAt === null) return null
  return (
    <Text size="sm">
      {held !== null && (
        <>
          {held.reason ?? held.kind}, since <Time at={held.since} relative />
        </>
      )}
      {dueAt !== null && (
        <>
          {' '}
          comes again <Time at={dueAt} relative />
        </>
      )}
    </Text>
  )
}
