import { Button, Group, SegmentedControl } from '@mantine/core'
import { useMemo } from 'react'
import { Link, useLocation } from 'wouter'
import { dataOf, engine } from '../../api/engine.ts'
import type { Run } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { Empty } from '../../parts/empty.tsx'
import { TimeFilter, TopologyFilter } from '../../parts/filters/filters.tsx'
import { TextFilter } from '../../parts/filters/text-filter.tsx'
import { useAddress } from '../../parts/filters/query.ts'
import type { Query } from '../../parts/filters/query.ts'
import { earlier, later, timeOf } from '../../parts/filters/since.ts'
import type { Source } from '../../parts/list/book.ts'
import { RowList } from '../../parts/list/rows.tsx'
import { Page } from '../../parts/page.tsx'
import { RunHead, RunRow, pageOf } from './row.tsx'

const states = ['running', 'failed', 'finished', 'cancelled'] as const
const filterNames = ['topology', 'state', 'tenant', 'since', 'until'] as const

/** All runs, the newest first, as they go. */
export default function RunsPage() {
  const [query, change] = useAddress()
  const [, navigate] = useLocation()
  const filterName = JSON.stringify(filterNames.map((name) => query[name] ?? null))
  const source = useMemo(() => runsSource(query), [filterName]) // eslint-disable-line react-hooks/exhaustive-deps -- an address that says the same is the same
  const isFiltered = filterNames.some((name) => query[name] !== undefined)
  return (
    <Page title="Runs" full>
      <Group gap={8} role="search" aria-label="Filter">
        <TopologyFilter value={query.topology} set={(topology) => change({ topology })} />
        <SegmentedControl
          size="xs"
          aria-label="State"
          value={states.find((state) => state === query.state) ?? 'all'}
          onChange={(state) => change({ state: state === 'all' ? null : state })}
          data={[
            { value: 'all', label: 'All' },
            { value: 'running', label: 'Running' },
            { value: 'failed', label: 'Failed' },
            { value: 'finished', label: 'Finished' },
            { value: 'cancelled', label: 'Cancelled' },
          ]}
        />
        <TimeFilter since={query.since} until={query.until} set={change} />
        <TextFilter label="Tenant" w={130} value={query.tenant} set={(tenant) => change({ tenant }, 'replace')} />
      </Group>
      <RowList
        label="Runs"
        many="runs"
        isNarrowable
        source={source}
        rowHeight={48}
        head={<RunHead />}
        render={(run) => <RunRow run={run} />}
        open={(run) => navigate(pageOf(run))}
        goOnFrom={(until) => change({ until })}
        empty={isFiltered ? <NothingFits /> : <NoRuns />}
      />
    </Page>
  )
}

function NothingFits() {
  return (
    <Empty icon="search" title="No run fits this filter">
      Take something out of the filter, or look further back.
      <br />
      <Button component={Link} href="/runs" variant="default" mt="sm">
        All runs
      </Button>
    </Empty>
  )
}

function NoRuns() {
  return (
    <Empty icon="runs" title="Nothing has run yet">
      A run is all that one start of a topology causes. Publish a topology, then start it: by hand, by its API or
      webhook, or by a cron node.
      <br />
      <Button component={Link} href="/topologies" variant="default" mt="sm">
        To the topologies
      </Button>
    </Empty>
  )
}

function runsSource({ topology, state, tenant, since, until }: Query): Source<Run> {
  return {
    key: keys.runs(null, 'list', { topology, state, tenant, since, until }),
    idOf: ({ id }) => id,
    timeOf: ({ startedAt }) => startedAt,
    fetch(place, signal) {
      const [from, before] = [later(timeOf(since), place.since), earlier(timeOf(until), place.until)]
      const query = {
        limit: place.limit,
        ...(topology !== undefined && { topology }),
        ...(state !== undefined && { state }),
        ...(tenant !== undefined && { tenant }),
        ...(from !== undefined && { since: from }),
        ...(before !== undefined && { until: before }),
        ...(place.after !== null && { after: place.after }),
      }
      return dataOf(engine.GET('/api/runs', { params: { query }, ...(signal && { signal }) }))
    },
  }
}
