import { Alert, Anchor, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Link, useParams } from 'wouter'
import { answerOf, engine } from '../../api/engine.ts'
import type { Cursor, CursorEditState } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { ActButton } from '../../parts/act-button.tsx'
import { Icon } from '../../parts/icons.tsx'
import { Loading } from '../../parts/table/listed.tsx'
import { Page } from '../../parts/page.tsx'
import { Pinned } from '../../parts/form/pinned.tsx'
import type { Told } from '../../parts/form/pinned.tsx'
import { Problem } from '../../parts/problem.tsx'
import { Facts, Mono } from '../../parts/show/facts.tsx'
import { progressText } from '../../parts/show/format.ts'
import { RunLink } from '../../parts/show/run-link.tsx'
import { Time } from '../../parts/show/time.tsx'
import { ReadingHeading } from '../cursors/heading.tsx'
import { CursorSign } from '../cursors/state.tsx'
import { EditCursor } from './edit.tsx'
import { CursorHistory } from './history.tsx'
import { ResetCursor } from './reset.tsx'

type Opened = { readonly kind: 'edit'; readonly page: number | null } | { readonly kind: 'reset' }

const over = 'Nothing more is read here: start a run, with the watermark set to where it is to begin'

const list = { title: 'Cursors', href: '/cursors' }

export default function CursorPage() {
  const { id } = useParams<{ id: string }>()
  const [opened, setOpened] = useState<Opened | null>(null)
  const { data, error, refetch } = useQuery({
    queryKey: keys.cursor(id),
    queryFn: () => answerOf(engine.GET('/api/cursors/{id}', { params: { path: { id } } })),
  })
  if (!data)
    return <Page title="Cursor">{error ? <Problem error={error} again={() => void refetch()} /> : <Loading />}</Page>
  const { data: cursor } = data
  const isOpen = cursor.state === 'reading' || cursor.state === 'stopped'
  const whyNot = isOpen ? null : over
  const close = (): void => setOpened(null)
  return (
    <Page
      title={`${cursor.topology} / ${cursor.node}`}
      heading={<ReadingHeading list={list} of={cursor} />}
      actions={
        <>
          <ActButton
            variant="default"
            needs="operate"
            whyNot={whyNot}
            onClick={() => setOpened({ kind: 'edit', page: null })}
          >
            Go on from elsewhere
          </ActButton>
          <ActButton variant="default" needs="operate" whyNot={whyNot} onClick={() => setOpened({ kind: 'reset' })}>
            Read from the beginning
          </ActButton>
        </>
      }
    >
      <Edited cursor={cursor} />
      <CursorFacts cursor={cursor} />
      <Title order={2}>History</Title>
      <CursorHistory id={id} whyNot={whyNot} goBackTo={(page) => setOpened({ kind: 'edit', page })} />
      {opened !== null && (
        <Pinned live={data} again={() => void refetch()} tell={told}>
          {({ etag, race }) =>
            opened.kind === 'edit' ? (
              <EditCursor cursor={cursor} etag={etag} race={race} page={opened.page} close={close} />
            ) : (
              <ResetCursor cursor={cursor} etag={etag} race={race} close={close} />
            )
          }
        </Pinned>
      )}
    </Page>
  )
}

/** What a person has made of it; that it is read on is no race. */
function told({ edit }: Cursor): Told {
  return edit === null ? [] : [['Moved', `to ${edit.cursor ?? 'the beginning'}, by ${edit.by ?? 'somebody'}`]]
}

const editTexts: Readonly<Record<CursorEditState, string>> = {
  pending: 'It was moved: the next call of the node asks with it.',
  taken: 'It was moved, and a page was read with that.',
  missed: 'It was moved too late: nothing more was read.',
}

/** What became of the newest edit by a person. */
function Edited({ cursor: { edit, state } }: { readonly cursor: Cursor }) {
  if (edit === null) return null
  const stopped = state === 'stopped' && edit.state === 'pending'
  return (
    <Alert
      color={edit.state === 'missed' ? 'yellow' : 'cyan'}
      icon={<Icon name="info" />}
      title={stopped ? 'It was moved: replay its page in Trash, and the replay asks with it.' : editTexts[edit.state]}
    >
      To {edit.cursor === null ? 'the beginning, without a cursor' : <Mono>{edit.cursor}</Mono>}, by{' '}
      {edit.by ?? 'somebody'} <Time at={edit.at} relative />.
    </Alert>
  )
}

function CursorFacts({ cursor }: { readonly cursor: Cursor }) {
  return (
    <Facts
      of={[
        ['State', <CursorSign key="s" state={cursor.state} />],
        ['Newest page', cursor.page],
        ['Progress', progressText(cursor.progress)],
        ['Asked with', cursor.cursor === null ? 'no cursor' : <Mono>{cursor.cursor}</Mono>],
        ['Next', cursor.next === null ? 'no further page' : <Mono>{cursor.next}</Mono>],
        ['Began at the watermark', cursor.since === null ? 'none: it reads everything' : <Mono>{cursor.since}</Mono>],
        ['Proposes the watermark', cursor.watermark && <Mono>{cursor.watermark}</Mono>],
        cursor.reconcile ? ['Reconciles', 'its run reads everything again'] : null,
        cursor.tenant === null ? null : ['Tenant', cursor.tenant],
        [
          'Run',
          <RunLink key="r" id={cursor.runId}>
            <Mono>{cursor.runId}</Mono>
          </RunLink>,
        ],
        cursor.trashId === null
          ? null
          : [
              'In Trash',
              <Anchor key="t" component={Link} href={`/trash/${cursor.trashId}`} size="sm">
                look at its page
              </Anchor>,
            ],
        ['Began', <Time key="b" at={cursor.startedAt} />],
        ['Last page', <Time key="u" at={cursor.updatedAt} relative />],
      ]}
    />
  )
}
