import { Group, Progress, Text } from '@mantine/core'
import type { LimitKey } from '../../api/engine.ts'
import { duration, rate } from '../../parts/show/format.ts'
import { Sign } from '../../parts/show/sign.tsx'
import { Time } from '../../parts/show/time.tsx'

/** How much of what is declared is used: the last ten seconds beside the long run. */
export function Use({ of: { ratePerSecond, declaredPerSecond } }: { readonly of: LimitKey }) {
  if (declaredPerSecond === null) return <span>{rate(ratePerSecond)}</span>
  const share = Math.min(100, Math.round((100 * ratePerSecond) / declaredPerSecond))
  return (
    <Group gap={8} wrap="nowrap">
      <Progress
        value={share}
        color={share >= 90 ? 'orange' : 'cyan'}
        w={64}
        size="sm"
        aria-label={`${share} % of what is declared is used`}
      />
      <Text span size="sm" style={{ whiteSpace: 'nowrap' }}>
        {rate(ratePerSecond)} of {rate(declaredPerSecond)}
      </Text>
    </Group>
  )
}

/** Its last 429 within a day, and until when it is left in peace. */
export function Asked({ of: { asked, pausedUntil } }: { readonly of: LimitKey }) {
  if (asked === null) return <Sign tone="quiet">no 429 in a day</Sign>
  const { at, retryAfterMs, times } = asked
  const said = retryAfterMs === null ? 'no Retry-After: backing off' : `Retry-After ${duration(retryAfterMs)}`
  return (
    <div>
      {pausedUntil === null ? (
        <Sign tone="quiet">
          <span>
            429 <Time at={at} relative />
          </span>
        </Sign>
      ) : (
        <Sign tone="warn">
          <span>
            no calls until <Time at={pausedUntil} />
          </span>
        </Sign>
      )}
      <Text size="xs" c="dimmed">
        {said}; {times === 1 ? 'once' : `${times} times`}
      </Text>
    </div>
  )
}
