import { SegmentedControl } from '@mantine/core'
import { useLocation } from 'wouter'
import { dataOf, engine } from '../../api/engine.ts'
import type { Bulk, BulkMessage, MessageError } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { Empty } from '../../parts/empty.tsx'
import { StateBadge } from '../../parts/life/state-badge.tsx'
import type { Source } from '../../parts/list/book.ts'
import { RowLink } from '../../parts/list/row-link.tsx'
import { RowList } from '../../parts/list/rows.tsx'
import { Time } from '../../parts/show/time.tsx'
import classes from './bulk.module.css'
import { outcomes } from './progress.tsx'

type Outcome = BulkMessage['outcome']
type Settled = Omit<BulkMessage, 'error'> & { readonly error: MessageError | null }

interface OutcomesProps {
  readonly bulk: Bulk
  readonly outcome: string | undefined
  readonly change: (values: Readonly<Record<string, string | null>>) => void
}

/** What became of each message; one opens it in Trash. */
export function Outcomes({ bulk, outcome, change }: OutcomesProps) {
  const [, navigate] = useLocation()
  const known = outcomes.find(([name]) => name === outcome)?.[0]
  const there = outcomes.filter(([name]) => bulk.messages[name] > 0 || name === known)
  return (
    <>
      <SegmentedControl
        size="xs"
        aria-label="Outcome"
        value={known ?? 'all'}
        onChange={(value) => change({ outcome: value === 'all' ? null : value })}
        data={[{ value: 'all', label: 'All' }, ...there.map(([value, label]) => ({ value, label }))]}
        style={{ alignSelf: 'flex-start', maxWidth: '100%', overflow: 'auto' }}
      />
      <RowList
        label="Messages of the bulk"
        many="messages"
        isNarrowable
        source={sourceOf(bulk.id, known)}
        rowHeight={34}
        render={(message) => <Row message={message} />}
        open={(message) => navigate(pageOf(message))}
        empty={
          <Empty icon="trash" title="None of them">
            No message has this outcome.
          </Empty>
        }
      />
    </>
  )
}

/** By their position: nothing comes in at the top. */
function sourceOf(id: string, outcome: Outcome | undefined): Source<Settled> {
  return {
    key: [...keys.bulk(id), 'messages', outcome ?? 'all'],
    idOf: ({ trashId }) => trashId,
    timeOf: ({ position }) => new Date(maxTime - position).toISOString(),
    fetch({ after, since, limit }, signal) {
      if (since !== null) return Promise.resolve({ items: [], next: null })
      const query = { limit, ...(after !== null && { after }), ...(outcome && { outcome }) }
      const asked = { params: { path: { id }, query }, ...(signal && { signal }) }
      return dataOf(engine.GET('/api/trash/bulk/{id}/messages', asked))
    },
  }
}

/** Lists are sorted downwards by time; positions go upwards. */
const maxTime = 8_640_000_000_000_000 / 2

/** In Trash; of one that failed again, what it failed with then. */
function pageOf({ trashId, againId }: Settled): string {
  return `/trash?message=${encodeURIComponent(againId ?? trashId)}&state=all&view=messages`
}

function Row({ message }: { readonly message: Settled }) {
  const { position, outcome, why, error, againId, settledAt, sentAt } = message
  return (
    <div className={classes.row} role="presentation">
      <span role="gridcell" className={classes.quiet}>
        <RowLink href={pageOf(message)}>{position}</RowLink>
      </span>
      <span role="gridcell">
        <StateBadge state={outcome} />
      </span>
      <span role="gridcell" className={classes.why}>
        {error?.title ?? why ?? (againId !== null ? 'failed again' : '')}
      </span>
      <span role="gridcell" className={classes.quiet}>
        <Time at={settledAt ?? sentAt} relative isPlain />
      </span>
    </div>
  )
}
