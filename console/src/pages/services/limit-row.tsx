import { CloseButton, Group, NumberInput, Select, Text } from '@mantine/core'
import type { ServiceLimit } from '../../api/engine.ts'
import { faultAt, faultOf } from '../../api/problem.ts'

export interface LimitDraft {
  readonly id: number
  readonly rate: number | string
  readonly per: ServiceLimit['per']
  readonly burst: number | string
  readonly scope: NonNullable<ServiceLimit['scope']>
}

const periods: readonly ServiceLimit['per'][] = ['second', 'minute', 'hour', 'day']

interface LimitRowProps {
  readonly at: number
  readonly limit: LimitDraft
  readonly error: unknown
  /** Null: it goes. */
  readonly change: (limit: LimitDraft | null) => void
}

/** So many calls in a time, whose, and how many of them at once. */
export function LimitRow({ at, limit, error, change }: LimitRowProps) {
  const path = `limits[${at}]`
  const fault = faultOf(error, path)
  const n = at + 1
  return (
    <div>
      <Group gap="xs" align="flex-start">
        <NumberInput
          size="xs"
          w={100}
          aria-label={`Limit ${n}: calls`}
          placeholder="Calls"
          min={1}
          value={limit.rate}
          onChange={(rate) => change({ ...limit, rate })}
          error={faultAt(error, `${path}.rate`)}
        />
        <Select
          w={110}
          aria-label={`Limit ${n}: period`}
          data={periods.map((value) => ({ value, label: `a ${value}` }))}
          value={limit.per}
          onChange={(value) => change({ ...limit, per: periods.find((one) => one === value) ?? limit.per })}
          allowDeselect={false}
          error={faultAt(error, `${path}.per`)}
        />
        <Select
          w={130}
          aria-label={`Limit ${n}: whose`}
          data={[
            { value: 'global', label: 'of all' },
            { value: 'tenant', label: 'of each tenant' },
          ]}
          value={limit.scope}
          onChange={(value) => change({ ...limit, scope: value === 'tenant' ? 'tenant' : 'global' })}
          allowDeselect={false}
          error={faultAt(error, `${path}.scope`)}
        />
        <NumberInput
          size="xs"
          w={110}
          aria-label={`Limit ${n}: at once`}
          placeholder="Burst: none"
          min={1}
          value={limit.burst}
          onChange={(burst) => change({ ...limit, burst })}
          error={faultAt(error, `${path}.burst`)}
        />
        <CloseButton aria-label={`Remove limit ${n}`} onClick={() => change(null)} />
      </Group>
      {fault !== null && (
        <Text size="xs" c="var(--bad)" mt={2}>
          {fault}
        </Text>
      )}
    </div>
  )
}
