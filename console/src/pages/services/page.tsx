import { Anchor, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Link } from 'wouter'
import { dataOf, engine } from '../../api/engine.ts'
import type { Service, ServiceState } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { ActButton } from '../../parts/act-button.tsx'
import { Empty } from '../../parts/empty.tsx'
import { compact } from '../../parts/show/format.ts'
import { Listed } from '../../parts/table/listed.tsx'
import { Rows } from '../../parts/table/rows.tsx'
import type { Column } from '../../parts/table/rows.tsx'
import { useList } from '../../parts/table/use-list.ts'
import { Page } from '../../parts/page.tsx'
import { Done } from './done.tsx'
import { ServiceForm } from './form.tsx'
import { Asked, Use } from './use.tsx'
import { inFlightText, limitText } from './words.ts'

const columns: readonly Column<Service>[] = [
  {
    title: 'Service',
    cell: ({ name }) => (
      <Anchor component={Link} href={`/services/${name}`} size="sm">
        {name}
      </Anchor>
    ),
  },
  {
    title: 'Declared',
    cell: ({ limits }) =>
      limits.length === 0 ? 'no rate' : limits.map((limit) => <div key={limitText(limit)}>{limitText(limit)}</div>),
  },
  { title: 'Open at once', cell: (service) => inFlightText(service), tight: true },
  { title: 'Used', cell: ({ name }) => <Glance name={name} show={({ shared }) => <Use of={shared} />} /> },
  { title: 'Asked to wait', cell: ({ name }) => <Glance name={name} show={({ shared }) => <Asked of={shared} />} /> },
  {
    title: 'Backlog',
    cell: ({ name }) => <Glance name={name} show={({ backlog }) => compact(backlog)} />,
    right: true,
  },
  { title: 'Done', cell: ({ name }) => <Glance name={name} show={(state) => <Done state={state} />} /> },
]

/** Each row asks for its own state: so few are shown at a time. */
const atATime = 25

export default function ServicesPage() {
  const [isAdding, setAdding] = useState(false)
  const list = useList({
    queryKey: keys.services(),
    ask: (after) => dataOf(engine.GET('/api/services', { params: { query: { limit: atATime, ...after } } })),
  })
  const add = (
    <ActButton needs="design" onClick={() => setAdding(true)}>
      Declare a service
    </ActButton>
  )
  return (
    <Page title="Services" actions={add}>
      <Listed
        list={list}
        empty={
          <Empty icon="services" title="No service is declared">
            A service is an external system with limits that all bridges keep together: so many calls a second, so many
            open at once. Declare it, name it at the nodes that call it (<code>service: shopify</code>), and publish.
          </Empty>
        }
      >
        {(items) => <Rows label="Services" columns={columns} items={items} idOf={({ name }) => name} />}
      </Listed>
      {isAdding && <ServiceForm of={null} close={() => setAdding(false)} />}
    </Page>
  )
}

interface GlanceProps {
  readonly name: string
  readonly show: (state: ServiceState) => React.ReactNode
}

/** A part of what the limits of a service do now; cells of one row ask once. */
function Glance({ name, show }: GlanceProps) {
  const { data, error } = useQuery({
    queryKey: keys.serviceGlance(name),
    queryFn: () =>
      dataOf(engine.GET('/api/services/{name}/state', { params: { path: { name }, query: { limit: 1 } } })),
  })
  if (data) return show(data)
  return (
    <Text span size="sm" c="dimmed">
      {error ? 'not known' : '…'}
    </Text>
  )
}
