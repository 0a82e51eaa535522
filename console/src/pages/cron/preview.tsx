import { Paper, Stack, Title } from '@mantine/core'
import { CronFields } from '../../parts/cron/cron-fields.tsx'
import { useFilters } from '../../parts/table/filters.tsx'

const ownZone = Intl.DateTimeFormat().resolvedOptions().timeZone

/** When a schedule would fire, by the engine's own rules; nothing is stored. */
export function Preview() {
  const filters = useFilters(['expression', 'timezone'])
  return (
    <Paper withBorder p="sm" component="section" aria-label="When would it fire?">
      <Stack gap="xs">
        <Title order={2}>When would it fire?</Title>
        <CronFields
          cron={filters.values.expression}
          timezone={filters.values.timezone}
          defaultZone={ownZone}
          change={({ cron, timezone }) => {
            if (cron !== undefined) filters.set('expression', cron)
            if (timezone !== undefined) filters.set('timezone', timezone)
          }}
        />
      </Stack>
    </Paper>
  )
}
