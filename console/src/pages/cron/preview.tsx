import { Group, List, Paper, Stack, Text, TextInput, Title } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { dataOf, engine } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { faultAt } from '../../api/problem.ts'
import { useFilters } from '../../parts/table/filters.tsx'
import { Mono } from '../../parts/show/facts.tsx'
import { Time } from '../../parts/show/time.tsx'

const ownZone = Intl.DateTimeFormat().resolvedOptions().timeZone
const shownFirings = 8

/** When a schedule would fire, by the engine's own rules; nothing is stored. */
export function Preview() {
  const filters = useFilters(['expression', 'timezone'])
  const { values, asked } = filters
  const { expression = '', timezone = ownZone } = asked
  const { data, error } = useQuery({
    queryKey: keys.cron('preview', expression, timezone),
    queryFn: () => {
      const query = { expression, timezone, count: shownFirings }
      return dataOf(engine.GET('/api/cron/preview', { params: { query } }))
    },
    enabled: expression !== '',
    placeholderData: keepPreviousData,
  })
  return (
    <Paper withBorder p="sm" component="section" aria-label="When would it fire?">
      <Stack gap="xs">
        <Title order={2}>When would it fire?</Title>
        <Group gap="xs" align="flex-start">
          <TextInput
            label="Schedule"
            description="5 or 6 fields, @daily, @every 90m"
            placeholder="30 2 * * mon-fri"
            w={220}
            value={values.expression}
            onChange={(event) => filters.set('expression', event.currentTarget.value)}
            error={faultAt(error, 'expression')}
          />
          <TextInput
            label="Time zone"
            description="By its IANA name"
            placeholder={ownZone}
            w={220}
            value={values.timezone}
            onChange={(event) => filters.set('timezone', event.currentTarget.value)}
            error={faultAt(error, 'timezone')}
          />
        </Group>
        {expression !== '' && error === null && data && (
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
    </Paper>
  )
}
