import { Alert, Anchor, Group, Text } from '@mantine/core'
import { Link } from 'wouter'
import type { RunTimeline } from '../../api/engine.ts'
import { counted, progressText } from '../../parts/show/format.ts'
import { Icon } from '../../parts/icons.tsx'
import { StateBadge } from '../../parts/life/state-badge.tsx'
import { RunLink } from '../../parts/show/run-link.tsx'
import { useZone } from '../../parts/zone/zone.ts'
import { Time } from '../../parts/show/time.tsx'
import { Took } from '../../parts/show/took.tsx'

/** How it is, in a line; what somebody has to do, below it. */
export function RunFacts({ timeline }: { readonly timeline: RunTimeline }) {
  const { run, reruns, trashOpen } = timeline
  const zone = useZone()
  const { state, queued, cancelRequestedAt, startedAt, tenant, revision, rerunOf, progress, scheduledAt } = run
  const shown = state === 'running' && cancelRequestedAt !== null ? 'cancelling' : queued ? 'queued' : state
  return (
    <>
      <Group gap={10} role="status">
        <StateBadge state={shown} />
        <Text size="sm">
          started <Time at={startedAt} />
          {zone === 'local' && (
            <>
              {' '}
              (<Time at={startedAt} relative />)
            </>
          )}
          , {state === 'running' ? 'for' : 'took'} <Took run={run} />
        </Text>
        {progress !== null && state === 'running' && <Text size="sm">read {progressText(progress)}</Text>}
        <Text size="sm" c="dimmed">
          run {run.id}
          {revision !== null && ` · revision ${revision}`}
          {tenant !== null && ` · tenant ${tenant}`}
          {scheduledAt !== null && ' · by its schedule'}
        </Text>
        {rerunOf !== null && <RunLink id={rerunOf}>repeats a run</RunLink>}
        {reruns.length > 0 && (
          <RunLink id={reruns[0] ?? ''}>was run again{reruns.length > 1 && ` ${reruns.length} times`}</RunLink>
        )}
      </Group>
      {trashOpen > 0 && (
        <Alert
          color="red"
          variant="light"
          icon={<Icon name="trash" />}
          title={`${counted(trashOpen, 'message')} of it failed`}
        >
          <Anchor component={Link} href={`/trash?run=${run.id}&view=kinds`} size="sm">
            See why, and replay or discard them
          </Anchor>
        </Alert>
      )}
      <Intake timeline={timeline} />
    </>
  )
}

function Intake({ timeline: { run } }: { readonly timeline: RunTimeline }) {
  const { intake } = run
  if (intake === null) return null
  const { state, records, trashed, error, at, resumable } = intake
  return (
    <Text size="sm" c={state === 'broken' ? 'var(--bad)' : 'dimmed'}>
      Its body is {state}: {counted(records, 'record')}
      {trashed > 0 && `, ${counted(trashed, 'part')} that ${trashed === 1 ? 'was' : 'were'} no record`}, last{' '}
      <Time at={at} relative />
      {error !== null && ` – ${error}`}
      {resumable && state !== 'complete' && ' – the same body with the same key goes on where it broke off'}
    </Text>
  )
}
