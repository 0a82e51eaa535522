import { Anchor } from '@mantine/core'
import { Link } from 'wouter'
import { dataOf, engine } from '../../api/engine.ts'
import type { CronNode } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { Empty } from '../../parts/empty.tsx'
import { grouped } from '../../parts/show/format.ts'
import { FilterBar, FilterText, useFilters } from '../../parts/table/filters.tsx'
import { Listed } from '../../parts/table/listed.tsx'
import { Rows } from '../../parts/table/rows.tsx'
import type { Column } from '../../parts/table/rows.tsx'
import { useList } from '../../parts/table/use-list.ts'
import { Page } from '../../parts/page.tsx'
import { Mono } from '../../parts/show/facts.tsx'
import { RunLink } from '../../parts/show/run-link.tsx'
import { Sign } from '../../parts/show/sign.tsx'
import { Time } from '../../parts/show/time.tsx'
import { Preview } from './preview.tsx'

const columns: readonly Column<CronNode>[] = [
  {
    title: 'Node',
    cell: ({ topology, topologyId, node }) => (
      <Anchor component={Link} href={`/topologies/${topologyId}?node=${encodeURIComponent(node)}`} size="sm">
        {topology} / {node}
      </Anchor>
    ),
  },
  { title: 'Schedule', cell: (node) => <Schedule node={node} /> },
  {
    title: 'Next',
    cell: ({ active, nextAt, enabled, inForce }) =>
      active ? <Time at={nextAt} relative /> : <Sign tone="quiet">{whyNot(enabled, inForce)}</Sign>,
  },
  {
    title: 'Last',
    cell: ({ lastAt, lastRunId }) =>
      lastAt !== null && (
        <>
          <Time at={lastAt} relative />
          {lastRunId !== null && (
            <>
              {', '}
              <RunLink id={lastRunId}>its run</RunLink>
            </>
          )}
        </>
      ),
  },
  {
    title: 'Skipped',
    cell: ({ skipped, lastSkipped }) =>
      skipped > 0 && (
        <>
          {grouped(skipped)}
          {lastSkipped && `, last: ${lastSkipped.reason}`}
        </>
      ),
  },
  { title: 'Wait', cell: ({ queued }) => queued > 0 && `${grouped(queued)} runs`, tight: true },
  { title: 'Overlap', cell: ({ overlap }) => overlap, tight: true },
  { title: 'Missed', cell: ({ missed }) => missed, tight: true },
]

function whyNot(enabled: boolean, inForce: CronNode['inForce']): string {
  if (!enabled) return 'the node is disabled'
  return inForce === null ? 'not published' : 'its topology is disabled or not published'
}

/** As it fires, and as it is stored when that isn't published yet. */
function Schedule({ node: { cron, timezone, inForce } }: { readonly node: CronNode }) {
  const isSame = inForce === null || (inForce.cron === cron && inForce.timezone === timezone)
  const shown = inForce ?? { cron, timezone }
  return (
    <>
      <Mono>{shown.cron ?? 'none yet'}</Mono> {shown.timezone}
      {!isSame && (
        <div>
          <Sign tone="warn">
            <span>
              stored, not republished: <Mono>{cron}</Mono> {timezone}
            </span>
          </Sign>
        </div>
      )}
    </>
  )
}

export default function CronPage() {
  const filters = useFilters(['topology'])
  const list = useList({
    queryKey: keys.cron(filters.asked),
    ask: (after) => dataOf(engine.GET('/api/cron', { params: { query: { ...filters.asked, ...after } } })),
  })
  return (
    <Page title="Cron">
      <FilterBar>
        <FilterText filters={filters} name="topology" label="Topology" />
      </FilterBar>
      <Listed
        list={list}
        empty={
          <Empty icon="cron" title={filters.isAny ? 'No schedule in that topology' : 'Nothing runs by a schedule'}>
            Give a topology a node of type <code>cron</code> with a schedule, and publish it. Below you can try how one
            is written.
          </Empty>
        }
      >
        {(items) => <Rows label="Schedules" columns={columns} items={items} idOf={({ nodeId }) => nodeId} />}
      </Listed>
      <Preview />
    </Page>
  )
}
