import { Stack, Text, Title } from '@mantine/core'
import { dataOf, engine } from '../../api/engine.ts'
import type { LimitKey, ServiceState } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { grouped } from '../../parts/show/format.ts'
import { FilterText, useFilters } from '../../parts/table/filters.tsx'
import { Listed } from '../../parts/table/listed.tsx'
import { Rows } from '../../parts/table/rows.tsx'
import type { Column } from '../../parts/table/rows.tsx'
import { useList } from '../../parts/table/use-list.ts'
import { Time } from '../../parts/show/time.tsx'
import { Asked, Use } from '../services/use.tsx'
import { AskedAndResume } from './resume.tsx'

const columnsOf = (name: string): readonly Column<LimitKey>[] => [
  { title: 'Tenant', cell: ({ who }) => who ?? 'without a tenant' },
  { title: 'Used', cell: (key) => <Use of={key} /> },
  { title: 'Wait', cell: ({ waiting }) => grouped(waiting), right: true, tight: true },
  { title: 'Open', cell: ({ inFlight }) => inFlight !== null && grouped(inFlight), right: true, tight: true },
  {
    title: '429',
    // Those without a tenant are resumed with all others.
    cell: (key) => (key.who === null ? <Asked of={key} /> : <AskedAndResume name={name} of={key} />),
  },
  { title: 'Next call', cell: ({ nextPermitAt }) => <Time at={nextPermitAt} relative />, tight: true },
  {
    title: 'Last turn',
    cell: ({ turnsEndAt }) => turnsEndAt !== null && <Time at={turnsEndAt} relative />,
    tight: true,
  },
]

/** Keys per tenant, where limits are per tenant. */
export function Tenants({ state: { name, limits, inFlightScope } }: { readonly state: ServiceState }) {
  const isPerTenant = inFlightScope === 'tenant' || limits.some(({ scope }) => scope === 'tenant')
  const filters = useFilters(['tenant'])
  const list = useList({
    queryKey: keys.serviceState(name, 'tenants', filters.asked),
    ask: async (after) => {
      const query = { limit: 50, ...filters.asked, ...after }
      return dataOf(engine.GET('/api/services/{name}/state', { params: { path: { name }, query } }))
    },
    enabled: isPerTenant,
  })
  if (!isPerTenant) return null
  return (
    <Stack gap="xs">
      <Title order={2}>Tenants</Title>
      <FilterText filters={filters} name="tenant" label="Tenant" />
      <Listed
        list={list}
        empty={
          <Text size="sm" c="dimmed">
            No tenant calls it now, and none was asked to wait within a day.
          </Text>
        }
      >
        {(items) => <Rows label="Tenants" columns={columnsOf(name)} items={items} idOf={({ who }) => who ?? ''} />}
      </Listed>
    </Stack>
  )
}
