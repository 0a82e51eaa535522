import { Group, List, Stack, Text, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { dataOf, engine } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { faultAt } from '../../api/problem.ts'
import { Mono } from '../show/facts.tsx'
import { Time } from '../show/time.tsx'

interface CronFieldsProps {
  readonly cron: string
  /** Empty: `defaultZone`. */
  readonly timezone: string
  readonly change: (values: { readonly cron?: string; readonly timezone?: string }) => void
  /** Of whoever takes them; what the engine says of the schedule itself is shown anyhow. */
  readonly faults?: { readonly cron?: string | null; readonly timezone?: string | null }
  /** By default that of documents. */
  readonly defaultZone?: string
}

const shownFirings = 5
const typingMs = 250

/** A schedule and its zone, with when it fires next by the engine's own rules. Nothing is stored. */
export function CronFields({ cron, timezone, change, faults = {}, defaultZone = 'UTC' }: CronFieldsProps) {
  const { data, error } = useFirings(cron, timezone === '' ? defaultZone : timezone)
  return (
    <Stack gap="xs">
      <Group gap="xs" align="flex-start">
        <TextInput
          label="Schedule"
          description="5 or 6 fields, @daily, @every 90m"
          placeholder="30 2 * * mon-fri"
          w={220}
          value={cron}
          onChange={(event) => change({ cron: event.currentTarget.value })}
          error={faults.cron ?? faultAt(error, 'expression')}
        />
        <TextInput
          label="Time zone"
          description="By its IANA name"
          placeholder={defaultZone}
          w={220}
          value={timezone}
          onChange={(event) => change({ timezone: event.currentTarget.value })}
          error={faults.timezone ?? faultAt(error, 'timezone')}
        />
      </Group>
      {cron.trim() !== '' && error === null && data && (
        <List size="sm" aria-label="The next firings">
          {data.firings.map(({ at, local }) => (
            <List.Item key={at}>
              <Time at={at} />{' '}
              <Text span size="xs" c="dimmed">
                <Mono>{local}</Mono> in {data.timezone}
              </Text>
            </List.Item>
          ))}
        </List>
      )}
    </Stack>
  )
}

/** Of what was typed a moment ago. */
function useFirings(cron: string, zone: string) {
  const [expression] = useDebouncedValue(cron.trim(), typingMs)
  const [timezone] = useDebouncedValue(zone.trim(), typingMs)
  return useQuery({
    queryKey: keys.cron('preview', expression, timezone),
    queryFn: () => {
      const query = { expression, timezone, count: shownFirings }
      return dataOf(engine.GET('/api/cron/preview', { params: { query } }))
    },
    enabled: expression !== '',
    placeholderData: keepPreviousData,
  })
}
