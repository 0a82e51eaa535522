import { Loader, Stack, Tabs } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useParams } from 'wouter'
import { dataOf, engine, statusOf } from '../../api/engine.ts'
import type { RunTimeline } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { useAddress } from '../../parts/filters/query.ts'
import { Crumbs, Page } from '../../parts/page.tsx'
import { Problem } from '../../parts/problem.tsx'
import { Acts } from './acts.tsx'
import { Counters } from './counters.tsx'
import { Events } from './events.tsx'
import { RunFacts } from './facts.tsx'
import { Messages } from './messages.tsx'
import { StartMessage } from './start.tsx'
import { Waterfall } from './waterfall.tsx'

const appearTries = 6
const appearMs = 500

/** One run: how it goes, where its time went, what became of its messages. */
export default function RunPage() {
  const { run: id = '' } = useParams()
  const { data, error, refetch } = useQuery({
    queryKey: [...keys.run(id), 'timeline'],
    queryFn: () => dataOf(engine.GET('/api/runs/{id}/timeline', { params: { path: { id } } })),
    // A run that was just begun appears a moment later.
    retry: (count, error) => statusOf(error) === 404 && count < appearTries,
    retryDelay: appearMs,
  })
  const title = data ? `${data.run.topology} › ${data.run.node}` : 'Run'
  return (
    <Page
      title={title}
      heading={<Crumbs of={[{ title: 'Runs', href: '/runs' }]} title={title} />}
      {...(data && { actions: <Acts timeline={data} /> })}
    >
      {error && !data && <Problem error={error} again={() => void refetch()} />}
      {!data && !error && <Loader size="sm" aria-label="Loading" />}
      {data && <Parts timeline={data} />}
    </Page>
  )
}

function Parts({ timeline }: { readonly timeline: RunTimeline }) {
  const [query, change] = useAddress()
  const { run } = timeline
  return (
    <Stack gap="md">
      <RunFacts timeline={timeline} />
      <Counters run={run} />
      <Tabs
        value={query.tab ?? 'timeline'}
        onChange={(tab) => change({ tab: tab === 'timeline' ? null : tab }, 'replace')}
        keepMounted={false}
      >
        <Tabs.List>
          <Tabs.Tab value="timeline">Timeline</Tabs.Tab>
          <Tabs.Tab value="messages">Messages</Tabs.Tab>
          <Tabs.Tab value="events">What happened</Tabs.Tab>
          <Tabs.Tab value="start">Start message</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="timeline" pt="sm">
          <Waterfall timeline={timeline} />
        </Tabs.Panel>
        <Tabs.Panel value="messages" pt="sm">
          <Messages run={run} query={query} change={change} />
        </Tabs.Panel>
        <Tabs.Panel value="events" pt="sm">
          <Events timeline={timeline} />
        </Tabs.Panel>
        <Tabs.Panel value="start" pt="sm">
          <StartMessage runId={run.id} />
        </Tabs.Panel>
      </Tabs>
    </Stack>
  )
}
