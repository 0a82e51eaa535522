import { Text } from '@mantine/core'
import type { ServiceState, ServiceStateBy } from '../../api/engine.ts'
import { duration } from '../../parts/show/format.ts'
import { Time } from '../../parts/show/time.tsx'

const byWhat: Readonly<Record<ServiceStateBy, string>> = {
  'nothing-waits': '',
  declared: 'by the declared limits',
  observed: 'by the calls of the last ten seconds',
}

/** When all that waits now will have been called. */
export function Done({ state: { by, secondsLeft, doneAt, reason } }: { readonly state: ServiceState }) {
  if (by === 'nothing-waits') return <>nothing waits</>
  if (by === null || secondsLeft === null)
    return (
      <Text span size="sm" c="dimmed">
        not known: {reason}
      </Text>
    )
  return (
    <>
      in {duration(secondsLeft * 1_000)}
      <Text size="xs" c="dimmed">
        <Time at={doneAt} />, {byWhat[by]}
      </Text>
    </>
  )
}
