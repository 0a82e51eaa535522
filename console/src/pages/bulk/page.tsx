import { Alert, Code, Group, Loader, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useParams } from 'wouter'
import { dataOf, engine } from '../../api/engine.ts'
import type { Bulk } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { useAddress } from '../../parts/filters/query.ts'
import { duration, grouped, rate } from '../../parts/show/format.ts'
import { Icon } from '../../parts/icons.tsx'
import { StateBadge } from '../../parts/life/state-badge.tsx'
import { Crumbs, Page } from '../../parts/page.tsx'
import { Problem } from '../../parts/problem.tsx'
import { Time } from '../../parts/show/time.tsx'
import { Acts } from './acts.tsx'
import { Outcomes } from './outcomes.tsx'
import { Progress } from './progress.tsx'

/** How a bulk goes: its figures, what became of each message, and how to stop it. */
export default function BulkPage() {
  const { bulk: id = '' } = useParams()
  const [query, change] = useAddress()
  const { data, error, refetch } = useQuery({
    queryKey: keys.bulk(id),
    queryFn: () => dataOf(engine.GET('/api/trash/bulk/{id}', { params: { path: { id } } })),
  })
  const title = data ? `${data.action === 'replay' ? 'Replay' : 'Discard'} ${grouped(data.messages.total)}` : 'Bulk'
  return (
    <Page
      title={title}
      full
      heading={
        <Crumbs
          of={[
            { title: 'Trash', href: '/trash' },
            { title: 'Bulks', href: '/trash/bulks' },
          ]}
          title={title}
        />
      }
      {...(data && { actions: <Acts bulk={data} /> })}
    >
      {error && !data && <Problem error={error} again={() => void refetch()} />}
      {!data && !error && <Loader size="sm" aria-label="Loading" />}
      {data && (
        <>
          <Head bulk={data} />
          <Progress bulk={data} />
          <Outcomes bulk={data} outcome={query.outcome} change={change} />
        </>
      )}
    </Page>
  )
}

const steps: Readonly<Record<Bulk['step'], string>> = {
  first: 'the first message',
  five: 'a few messages',
  ramp: 'ever more at once',
  all: 'all that are left',
}

function Head({ bulk }: { readonly bulk: Bulk }) {
  const { state, step, by, reason, createdAt, finishedAt, stoppedBecause, waitsFor, remainingMs, ratePerSecondNow } =
    bulk
  const { isPatched, patch, stopAtFailedPercent, ratePerSecond } = bulk
  return (
    <Stack gap={6}>
      <Group gap={10} role="status">
        <StateBadge state={state} />
        {state === 'running' && (
          <Text size="sm">
            at {steps[step]}, {rate(ratePerSecondNow)}
            {remainingMs !== null && `, about ${duration(remainingMs)} left`}
          </Text>
        )}
        <Text size="sm" c="dimmed">
          begun <Time at={createdAt} relative /> by {by}
          {finishedAt !== null && (
            <>
              , ended <Time at={finishedAt} relative />
            </>
          )}
          {reason !== null && ` – ${reason}`}
        </Text>
      </Group>
      {stoppedBecause !== null && (
        <Alert color="red" variant="light" icon={<Icon name="warning" />} title="It stopped by itself">
          {stoppedBecause}. What was not sent is in Trash as it was: mend the cause, then resume.
        </Alert>
      )}
      {waitsFor !== null && state === 'running' && (
        <Alert color="orange" variant="light" icon={<Icon name="pause" />}>
          It waits: {waitsFor}
        </Alert>
      )}
      <Text size="xs" c="dimmed">
        {bulk.action === 'replay' && `Stops when ${stopAtFailedPercent} % fail again. `}
        {ratePerSecond !== null && `At most ${ratePerSecond} a second. `}
        {isPatched && (
          <>
            Bodies are changed first
            {patch ? (
              <>
                : <Code>{JSON.stringify(patch).slice(0, 300)}</Code>
              </>
            ) : (
              '.'
            )}
          </>
        )}
      </Text>
    </Stack>
  )
}
