import { Anchor, Text } from '@mantine/core'
import { Link } from 'wouter'
import type { Status } from '../../api/engine.ts'
import { bytes, grouped } from '../../parts/show/format.ts'
import { Facts } from '../../parts/show/facts.tsx'
import { Sign } from '../../parts/show/sign.tsx'

/** What the engine is made of, and how much there is of it. */
export function Parts({ status: { version, nats, postgres, bridges, totals } }: { readonly status: Status }) {
  return (
    <>
      <Facts
        of={[
          ['Version', version],
          [
            'Control',
            <Sign key="c" tone="good">
              answers
            </Sign>,
          ],
          ['Postgres', <Connected key="p" isThere={postgres.connected} />],
          ['NATS', <Connected key="n" isThere={nats.connected} more={nats.version} />],
          ['Streams', nats.streams === null ? 'not known' : grouped(nats.streams)],
          ['Stored in NATS', <Stored key="s" nats={nats} />],
          ['Durability', durability(nats)],
          ['Bridges', grouped(bridges.length)],
          ...ofTotals(totals),
        ]}
      />
      <Text size="xs" c="dimmed">
        <code>sluice doctor</code> examines storage, copies and clocks from where it runs; figures for Prometheus are at{' '}
        <Anchor href="/metrics" size="xs">
          /metrics
        </Anchor>
        , and the API is described at{' '}
        <Anchor href="/api/docs" size="xs">
          /api/docs
        </Anchor>
        .
      </Text>
    </>
  )
}

const nearlyFull = 0.9

function Stored({ nats: { bytes: used, limitBytes } }: { readonly nats: Status['nats'] }) {
  if (used === null) return <>not known</>
  if (limitBytes === null) return <>{bytes(used)}; the disk is the limit</>
  const tone = used > limitBytes * nearlyFull ? 'bad' : 'good'
  return (
    <Sign tone={tone}>
      {bytes(used)} of {bytes(limitBytes)}
    </Sign>
  )
}

/** What queues outlive. */
function durability({ copies, isCluster }: Status['nats']): string {
  if (copies === null) return 'not known'
  if (copies > 1) return `${copies} copies of each queue: outlives a server and its disk`
  if (isCluster === true) return 'one copy only, on a cluster: set --replicas 3'
  return 'one copy of each queue: outlives every process; a power cut only with sync_interval: always'
}

function Connected({ isThere, more = null }: { readonly isThere: boolean; readonly more?: string | null }) {
  if (!isThere) return <Sign tone="bad">away</Sign>
  return <Sign tone="good">{more === null ? 'answers' : `answers, ${more}`}</Sign>
}

function ofTotals(totals: Status['totals']) {
  if (totals === null) return []
  const { published, disabled, paused, openTrash } = totals
  return [
    [
      'Published topologies',
      <Anchor key="t" component={Link} href="/topologies" size="sm">
        {grouped(published)}
      </Anchor>,
    ],
    ['Of these disabled, paused', `${grouped(disabled)}, ${grouped(paused)}`],
    [
      'Open in Trash',
      <Anchor key="o" component={Link} href="/trash" size="sm">
        {grouped(openTrash)}
      </Anchor>,
    ],
  ] as const
}
