import { Alert, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useParams } from 'wouter'
import { answerOf, dataOf, engine } from '../../api/engine.ts'
import type { Watermark, WatermarkDeed } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { ActButton } from '../../parts/act-button.tsx'
import { Empty } from '../../parts/empty.tsx'
import { Icon } from '../../parts/icons.tsx'
import { Listed, Loading } from '../../parts/table/listed.tsx'
import { Rows } from '../../parts/table/rows.tsx'
import type { Column } from '../../parts/table/rows.tsx'
import { useList } from '../../parts/table/use-list.ts'
import { Page } from '../../parts/page.tsx'
import { Pinned } from '../../parts/form/pinned.tsx'
import type { Told } from '../../parts/form/pinned.tsx'
import { Problem } from '../../parts/problem.tsx'
import { Facts, Mono } from '../../parts/show/facts.tsx'
import { RunLink } from '../../parts/show/run-link.tsx'
import { Time } from '../../parts/show/time.tsx'
import { ReadingHeading } from '../cursors/heading.tsx'
import { MoveWatermark, ResetWatermark } from './move.tsx'

type Opened = { readonly kind: 'move'; readonly to: string | null } | { readonly kind: 'reset' }

const list = { title: 'Watermarks', href: '/cursors/watermarks' }

export default function WatermarkPage() {
  const { id } = useParams<{ id: string }>()
  const [opened, setOpened] = useState<Opened | null>(null)
  const { data, error, refetch } = useQuery({
    queryKey: keys.watermark(id),
    queryFn: () => answerOf(engine.GET('/api/watermarks/{id}', { params: { path: { id } } })),
  })
  if (!data)
    return <Page title="Watermark">{error ? <Problem error={error} again={() => void refetch()} /> : <Loading />}</Page>
  const { data: watermark } = data
  const close = (): void => setOpened(null)
  return (
    <Page
      title={`Watermark of ${watermark.topology} / ${watermark.node}`}
      heading={<ReadingHeading list={list} of={watermark} />}
      actions={
        <>
          <ActButton variant="default" needs="operate" onClick={() => setOpened({ kind: 'move', to: null })}>
            Move
          </ActButton>
          <ActButton variant="default" needs="operate" onClick={() => setOpened({ kind: 'reset' })}>
            Forget
          </ActButton>
        </>
      }
    >
      {watermark.pending && (
        <Alert color="yellow" icon={<Icon name="cron" />} title="Bridges aren’t told yet">
          A run that begins now may still be handed the one before. It is told as soon as NATS takes it.
        </Alert>
      )}
      <WatermarkFacts watermark={watermark} />
      <Title order={2}>History</Title>
      <History id={id} moveTo={(to) => setOpened({ kind: 'move', to })} />
      {opened !== null && (
        <Pinned live={data} again={() => void refetch()} tell={told}>
          {(pin) =>
            opened.kind === 'move' ? (
              <MoveWatermark of={pin} to={opened.to} close={close} />
            ) : (
              <ResetWatermark of={pin} close={close} />
            )
          }
        </Pinned>
      )}
    </Page>
  )
}

function told({ watermark, by, runId }: Watermark): Told {
  return [
    ['Watermark', watermark ?? 'none'],
    ['Set by', by ?? (runId === null ? 'nobody' : `run ${runId}`)],
  ]
}

function WatermarkFacts({
  watermark: { watermark, tenant, version, by, runId, updatedAt },
}: {
  readonly watermark: Watermark
}) {
  return (
    <Facts
      of={[
        [
          'The next run begins at',
          watermark === null ? 'the beginning, or the node’s initial' : <Mono>{watermark}</Mono>,
        ],
        ['Tenant', tenant ?? 'messages without one'],
        [
          'Set by',
          by ??
            (runId !== null && (
              <RunLink id={runId}>
                run <Mono>{runId}</Mono>
              </RunLink>
            )),
        ],
        ['Since', <Time key="t" at={updatedAt} />],
        ['Version', version],
      ]}
    />
  )
}

const columns: readonly Column<WatermarkDeed>[] = [
  { title: 'When', cell: ({ at }) => <Time at={at} />, tight: true },
  { title: 'What', cell: ({ deed }) => words[deed] ?? deed, tight: true },
  { title: 'Watermark', cell: ({ watermark }) => (watermark === null ? 'none' : <Mono>{watermark}</Mono>) },
  {
    title: 'By',
    cell: ({ by, runId, reason }) => (
      <>
        {by ?? (runId !== null && <Mono>run {runId.slice(0, 12)}</Mono>)}
        {reason !== null && `: ${reason}`}
      </>
    ),
  },
]

const words: Readonly<Record<string, string>> = { committed: 'Committed', set: 'Set', reset: 'Forgotten' }

function History({ id, moveTo }: { readonly id: string; readonly moveTo: (to: string) => void }) {
  const list = useList({
    queryKey: keys.watermark(id, 'history'),
    ask: (after) =>
      dataOf(engine.GET('/api/watermarks/{id}/history', { params: { path: { id }, query: { limit: 100, ...after } } })),
  })
  const withBack: readonly Column<WatermarkDeed>[] = [
    ...columns,
    {
      title: 'Move',
      cell: ({ watermark }) =>
        watermark !== null && (
          <ActButton variant="subtle" size="compact-xs" needs="operate" onClick={() => moveTo(watermark)}>
            Move to this one
          </ActButton>
        ),
      bare: true,
      tight: true,
    },
  ]
  return (
    <Listed
      list={list}
      empty={
        <Empty icon="cursors" title="No change yet">
          What runs commit and what people set appears here.
        </Empty>
      }
    >
      {(items) => <Rows label="Changes" columns={withBack} items={items} idOf={({ version }) => String(version)} />}
    </Listed>
  )
}
