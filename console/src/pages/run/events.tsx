import { Anchor, Text } from '@mantine/core'
import { Link } from 'wouter'
import type { RunTimeline } from '../../api/engine.ts'
import { Time } from '../../parts/show/time.tsx'
import classes from './run.module.css'

const names: Readonly<Record<RunTimeline['events'][number]['kind'], string>> = {
  started: 'started',
  cancelRequested: 'cancel asked for',
  trashed: 'failed',
  replayed: 'replayed',
  discarded: 'discarded',
  ended: 'ended',
}

/** What happened, in order; of Trash the newest. */
export function Events({ timeline: { run, events, eventsComplete } }: { readonly timeline: RunTimeline }) {
  return (
    <div className={classes.waterfall}>
      <ol className={classes.events}>
        {events.map((event, index) => (
          <li key={index}>
            <Time at={event.at} />
            <span>
              {names[event.kind]}
              {event.node !== null && event.kind !== 'started' && ` at ${event.node}`}
            </span>
            <span>
              {event.trash === null ? (
                event.text
              ) : (
                <Anchor
                  component={Link}
                  href={`/trash?message=${encodeURIComponent(event.trash)}&run=${run.id}&state=all`}
                  size="sm"
                >
                  {event.text}
                </Anchor>
              )}
            </span>
          </li>
        ))}
      </ol>
      {!eventsComplete && (
        <Text size="sm" p="xs">
          There is more in Trash:{' '}
          <Anchor component={Link} href={`/trash?run=${run.id}&state=all&view=messages`} size="sm">
            see all of it
          </Anchor>
        </Text>
      )}
    </div>
  )
}
