import { Anchor } from '@mantine/core'
import { useState } from 'react'
import { Link } from 'wouter'
import { dataOf, engine } from '../../api/engine.ts'
import type { Worker } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { ActButton } from '../../parts/act-button.tsx'
import { Empty } from '../../parts/empty.tsx'
import { grouped } from '../../parts/show/format.ts'
import { FilterBar, FilterText, useFilters } from '../../parts/table/filters.tsx'
import { Listed } from '../../parts/table/listed.tsx'
import { Rows } from '../../parts/table/rows.tsx'
import type { Column } from '../../parts/table/rows.tsx'
import { ShowAll } from '../../parts/table/show-all.tsx'
import { useList } from '../../parts/table/use-list.ts'
import { Page } from '../../parts/page.tsx'
import { Mono } from '../../parts/show/facts.tsx'
import { Sign } from '../../parts/show/sign.tsx'
import { WorkerForm } from './form.tsx'
import { WorkerSign } from './health.tsx'
import { nodesOf, versionOf } from './manifest.ts'

const columns: readonly Column<Worker>[] = [
  {
    title: 'Worker',
    cell: ({ name }) => (
      <Anchor component={Link} href={`/workers/${name}`} size="sm">
        {name}
      </Anchor>
    ),
  },
  { title: 'Health', cell: (worker) => <WorkerSign worker={worker} /> },
  {
    title: 'Open calls',
    cell: ({ instances }) => grouped(instances.reduce((sum, { inFlight }) => sum + inFlight, 0)),
    right: true,
    tight: true,
  },
  {
    title: 'Address',
    cell: ({ urls }) => <Mono>{urls.length > 1 ? `${urls[0] ?? ''} and ${urls.length - 1} more` : urls[0]}</Mono>,
  },
  {
    title: 'Nodes',
    cell: (worker) => (worker.manifest === null ? 'no manifest' : nodesOf(worker).length),
    right: true,
    tight: true,
  },
  { title: 'Version', cell: (worker) => versionOf(worker), tight: true },
  { title: 'Signed', cell: ({ hasSecret }) => (hasSecret ? 'yes' : 'no'), tight: true },
  {
    title: 'Faults',
    cell: ({ manifestFaults: { length } }) => length > 0 && <Sign tone="warn">{length} of its defaults ignored</Sign>,
  },
]

const atATime = 200

export default function WorkersPage() {
  const [isAdding, setAdding] = useState(false)
  const filters = useFilters(['text'])
  const text = filters.values.text.trim().toLowerCase()
  const list = useList({
    queryKey: keys.workers(null, 'list'),
    ask: (after) => dataOf(engine.GET('/api/workers', { params: { query: { limit: atATime, ...after } } })),
  })
  const add = (
    <ActButton needs="design" onClick={() => setAdding(true)}>
      Register a worker
    </ActButton>
  )
  return (
    <Page title="Workers" actions={add}>
      {list.items.length > 0 && (
        <FilterBar>
          <FilterText filters={filters} name="text" label="Name or address" />
        </FilterBar>
      )}
      <Listed
        list={list}
        empty={
          <Empty icon="workers" title="No worker is registered">
            A worker is any HTTP server that takes a message and answers what becomes of it. Start one, register its
            address here, and name it at the nodes that it works for.
          </Empty>
        }
      >
        {(items) => <Found items={items.filter((worker) => isMeant(worker, text))} clear={() => filters.clear()} />}
      </Listed>
      {isAdding && <WorkerForm of={null} close={() => setAdding(false)} />}
    </Page>
  )
}

function isMeant({ name, urls }: Worker, text: string): boolean {
  return name.includes(text) || urls.some((url) => url.toLowerCase().includes(text))
}

function Found({ items, clear }: { readonly items: readonly Worker[]; readonly clear: () => void }) {
  if (items.length > 0) return <Rows label="Workers" columns={columns} items={items} idOf={({ name }) => name} />
  return (
    <Empty icon="workers" title="No worker is called like that">
      <ShowAll clear={clear} />
    </Empty>
  )
}
