import { dataOf, engine } from '../../api/engine.ts'
import type { CursorDeed, CursorDeedDeed } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { ActButton } from '../../parts/act-button.tsx'
import { Empty } from '../../parts/empty.tsx'
import { Listed } from '../../parts/table/listed.tsx'
import { Rows } from '../../parts/table/rows.tsx'
import type { Column } from '../../parts/table/rows.tsx'
import { useList } from '../../parts/table/use-list.ts'
import { Mono } from '../../parts/show/facts.tsx'
import { progressText } from '../../parts/show/format.ts'
import { Time } from '../../parts/show/time.tsx'

const words: Readonly<Record<CursorDeedDeed, string>> = {
  read: 'Read',
  edited: 'Moved',
  rewound: 'Went back',
  reset: 'To the beginning',
}

const columns: readonly Column<CursorDeed>[] = [
  { title: 'When', cell: ({ at }) => <Time at={at} />, tight: true },
  { title: 'What', cell: ({ deed }) => words[deed], tight: true },
  { title: 'Page', cell: ({ page }) => page, right: true, tight: true },
  { title: 'Cursor', cell: ({ cursor }) => (cursor === null ? 'none' : <Mono>{cursor}</Mono>) },
  { title: 'Next', cell: ({ next }) => next !== null && <Mono>{next}</Mono> },
  { title: 'Progress', cell: ({ progress }) => progressText(progress), tight: true },
  {
    title: 'Who and why',
    cell: ({ by, reason }) => by !== null && (reason === null ? by : `${by}: ${reason}`),
  },
]

interface CursorHistoryProps {
  readonly id: string
  readonly whyNot: string | null
  readonly goBackTo: (page: number) => void
}

/** Pages and edits, the newest first. */
export function CursorHistory({ id, whyNot, goBackTo }: CursorHistoryProps) {
  const list = useList({
    queryKey: keys.cursor(id, 'history'),
    ask: (after) =>
      dataOf(engine.GET('/api/cursors/{id}/history', { params: { path: { id }, query: { limit: 100, ...after } } })),
  })
  const withBack: readonly Column<CursorDeed>[] = [
    ...columns,
    {
      title: 'Go back',
      cell: ({ deed, page }) =>
        deed === 'read' && (
          <ActButton variant="subtle" size="compact-xs" needs="operate" whyNot={whyNot} onClick={() => goBackTo(page)}>
            Go back to page {page}
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
        <Empty icon="cursors" title="No page was read yet">
          The first one has failed. Look into Trash for why, mend it there, and replay it.
        </Empty>
      }
    >
      {(items) => (
        <Rows
          label="Pages and edits"
          columns={withBack}
          items={items}
          idOf={({ deed, page, at }) => `${deed} ${page} ${at}`}
        />
      )}
    </Listed>
  )
}
