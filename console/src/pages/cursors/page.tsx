import { Anchor, Select } from '@mantine/core'
import { Link } from 'wouter'
import { dataOf, engine } from '../../api/engine.ts'
import type { Cursor } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { Empty } from '../../parts/empty.tsx'
import { FilterBar, FilterText, useFilters } from '../../parts/table/filters.tsx'
import { Listed } from '../../parts/table/listed.tsx'
import { Rows } from '../../parts/table/rows.tsx'
import type { Column } from '../../parts/table/rows.tsx'
import { ShowAll } from '../../parts/table/show-all.tsx'
import { useList } from '../../parts/table/use-list.ts'
import { Page } from '../../parts/page.tsx'
import { Mono } from '../../parts/show/facts.tsx'
import { progressText } from '../../parts/show/format.ts'
import { RunLink } from '../../parts/show/run-link.tsx'
import { Time } from '../../parts/show/time.tsx'
import { CursorSign } from './state.tsx'
import { ReadingTabs } from './tabs.tsx'

const columns: readonly Column<Cursor>[] = [
  {
    title: 'Node',
    cell: ({ id, topology, node }) => (
      <Anchor component={Link} href={`/cursors/${id}`} size="sm">
        {topology} / {node}
      </Anchor>
    ),
  },
  { title: 'State', cell: ({ state }) => <CursorSign state={state} /> },
  { title: 'Page', cell: ({ page }) => page, right: true, tight: true },
  { title: 'Progress', cell: ({ progress }) => progressText(progress), tight: true },
  { title: 'Next cursor', cell: ({ next }) => next !== null && <Mono>{next}</Mono> },
  { title: 'Tenant', cell: ({ tenant }) => tenant, tight: true },
  {
    title: 'Run',
    cell: ({ runId }) => (
      <RunLink id={runId}>
        <Mono>{runId.slice(0, 12)}</Mono>
      </RunLink>
    ),
    tight: true,
  },
  { title: 'Last page', cell: ({ updatedAt }) => <Time at={updatedAt} relative />, tight: true },
]

const states = [
  { value: '', label: 'Any state' },
  { value: 'true', label: 'Under way or stopped' },
  { value: 'false', label: 'Come to an end' },
]

function activity(active: string | undefined): { active?: 'true' | 'false' } {
  return active === 'true' || active === 'false' ? { active } : {}
}

export default function CursorsPage() {
  const filters = useFilters(['topology', 'node', 'tenant', 'run', 'active'])
  const { active, ...rest } = filters.asked
  const query = { ...rest, ...activity(active) }
  const list = useList({
    queryKey: keys.cursors(query),
    ask: (after) => dataOf(engine.GET('/api/cursors', { params: { query: { ...query, ...after } } })),
  })
  return (
    <Page title="Cursors" actions={<ReadingTabs />}>
      <FilterBar>
        <FilterText filters={filters} name="topology" label="Topology" />
        <FilterText filters={filters} name="node" label="Node" />
        <FilterText filters={filters} name="tenant" label="Tenant" />
        <FilterText filters={filters} name="run" label="Run" />
        <Select
          aria-label="State"
          w={180}
          data={states}
          value={filters.values.active}
          onChange={(value) => filters.set('active', value ?? '')}
          allowDeselect={false}
        />
      </FilterBar>
      <Listed list={list} empty={<Nothing clear={filters.isAny ? () => filters.clear() : null} />}>
        {(items) => <Rows label="Readings" columns={columns} items={items} idOf={({ id }) => id} />}
      </Listed>
    </Page>
  )
}

function Nothing({ clear }: { readonly clear: (() => void) | null }) {
  if (clear)
    return (
      <Empty icon="cursors" title="No reading is like that">
        Names have to be whole: a node is found by its name or its id.
        <ShowAll clear={clear} />
      </Empty>
    )
  return (
    <Empty icon="cursors" title="Nothing has been read yet">
      A batch node reads a source page by page. Publish a topology with one and start a run: its cursor appears here
      with the first page, and can be moved while it reads.
    </Empty>
  )
}
