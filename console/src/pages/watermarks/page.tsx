import { Anchor } from '@mantine/core'
import { useState } from 'react'
import { Link } from 'wouter'
import { dataOf, engine } from '../../api/engine.ts'
import type { Watermark } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { ActButton } from '../../parts/act-button.tsx'
import { Empty } from '../../parts/empty.tsx'
import { FilterBar, FilterText, useFilters } from '../../parts/table/filters.tsx'
import { Listed } from '../../parts/table/listed.tsx'
import { Rows } from '../../parts/table/rows.tsx'
import type { Column } from '../../parts/table/rows.tsx'
import { ShowAll } from '../../parts/table/show-all.tsx'
import { useList } from '../../parts/table/use-list.ts'
import { Page } from '../../parts/page.tsx'
import { Mono } from '../../parts/show/facts.tsx'
import { RunLink } from '../../parts/show/run-link.tsx'
import { Sign } from '../../parts/show/sign.tsx'
import { Time } from '../../parts/show/time.tsx'
import { ReadingTabs } from '../cursors/tabs.tsx'
import { SetWatermark } from './set.tsx'

const columns: readonly Column<Watermark>[] = [
  {
    title: 'Node',
    cell: ({ id, topology, node }) => (
      <Anchor component={Link} href={`/cursors/watermarks/${id}`} size="sm">
        {topology} / {node}
      </Anchor>
    ),
  },
  { title: 'Tenant', cell: ({ tenant }) => tenant },
  {
    title: 'Next run begins at',
    cell: ({ watermark }) => (watermark === null ? 'the beginning, or the node’s initial' : <Mono>{watermark}</Mono>),
  },
  { title: 'Told', cell: ({ pending }) => pending && <Sign tone="warn">bridges aren’t told yet</Sign> },
  {
    title: 'Set by',
    cell: ({ by, runId }) =>
      by ??
      (runId !== null && (
        <RunLink id={runId}>
          run <Mono>{runId.slice(0, 12)}</Mono>
        </RunLink>
      )),
  },
  { title: 'Since', cell: ({ updatedAt }) => <Time at={updatedAt} relative />, tight: true },
]

export default function WatermarksPage() {
  const filters = useFilters(['topology', 'node', 'tenant'])
  const [isSetting, setSetting] = useState(false)
  const list = useList({
    queryKey: keys.watermarks(filters.asked),
    ask: (after) => dataOf(engine.GET('/api/watermarks', { params: { query: { ...filters.asked, ...after } } })),
  })
  return (
    <Page
      title="Watermarks"
      actions={
        <>
          <ReadingTabs />
          <ActButton needs="operate" onClick={() => setSetting(true)}>
            Set a watermark
          </ActButton>
        </>
      }
    >
      <FilterBar>
        <FilterText filters={filters} name="topology" label="Topology" />
        <FilterText filters={filters} name="node" label="Node" />
        <FilterText filters={filters} name="tenant" label="Tenant" />
      </FilterBar>
      <Listed list={list} empty={<Nothing clear={filters.isAny ? () => filters.clear() : null} />}>
        {(items) => <Rows label="Watermarks" columns={columns} items={items} idOf={({ id }) => id} />}
      </Listed>
      {isSetting && <SetWatermark given={filters.asked} close={() => setSetting(false)} />}
    </Page>
  )
}

function Nothing({ clear }: { readonly clear: (() => void) | null }) {
  if (clear)
    return (
      <Empty icon="cursors" title="No watermark is like that">
        Names have to be whole: a node is found by its name or its id.
        <ShowAll clear={clear} />
      </Empty>
    )
  return (
    <Empty icon="cursors" title="No run has committed a watermark yet">
      It says up to where a source is read, so that the next run begins there. Give a batch node{' '}
      <code>watermark: {'{}'}</code> in its topology, and let its worker answer <code>sluice-watermark</code>; or set
      one by hand.
    </Empty>
  )
}
