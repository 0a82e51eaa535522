import { Button } from '@mantine/core'
import { Link, useLocation } from 'wouter'
import { dataOf, engine } from '../../api/engine.ts'
import type { Bulk } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { Empty } from '../../parts/empty.tsx'
import { counted, grouped } from '../../parts/show/format.ts'
import { StateBadge } from '../../parts/life/state-badge.tsx'
import type { Source } from '../../parts/list/book.ts'
import { RowLink } from '../../parts/list/row-link.tsx'
import { RowList } from '../../parts/list/rows.tsx'
import { Crumbs, Page } from '../../parts/page.tsx'
import { Time } from '../../parts/show/time.tsx'
import classes from './bulks.module.css'

const source: Source<Bulk> = {
  key: keys.bulks('list'),
  idOf: ({ id }) => id,
  timeOf: ({ createdAt }) => createdAt,
  // Few enough that the list is read from the newest on each time.
  fetch: ({ after, limit, since }, signal) =>
    since !== null
      ? Promise.resolve({ items: [], next: null })
      : dataOf(
          engine.GET('/api/trash/bulk', {
            params: { query: { limit, ...(after !== null && { after }) } },
            ...(signal && { signal }),
          }),
        ),
}

/** What was done with many messages at once, and how it goes. */
export default function BulksPage() {
  const [, navigate] = useLocation()
  return (
    <Page title="Bulks" full heading={<Crumbs of={[{ title: 'Trash', href: '/trash' }]} title="Bulks" />}>
      <RowList
        label="Bulks"
        many="bulks"
        source={source}
        rowHeight={48}
        render={(bulk) => <Row bulk={bulk} />}
        open={(bulk) => navigate(pageOf(bulk))}
        empty={
          <Empty icon="trash" title="No bulk yet">
            Replay or discard a whole kind of failures, or what you select in the list, and see here how it goes.
            <br />
            <Button component={Link} href="/trash" variant="default" mt="sm">
              To the kinds of failures
            </Button>
          </Empty>
        }
      />
    </Page>
  )
}

function pageOf({ id }: Bulk): string {
  return `/trash/bulks/${id}`
}

function Row({ bulk }: { readonly bulk: Bulk }) {
  const { action, state, messages, by, createdAt, topology, reason } = bulk
  const { total, done, failedAgain, refused, discarded } = messages
  return (
    <div className={classes.row} role="presentation">
      <div role="gridcell">
        <StateBadge state={state} />
      </div>
      <div role="gridcell" className={classes.text}>
        <div className={classes.title}>
          <RowLink href={pageOf(bulk)}>
            {action === 'replay' ? 'Replay' : 'Discard'} {counted(total, 'message')}
            {topology !== null && ` of ${topology}`}
          </RowLink>
        </div>
        <div className={classes.detail}>
          {[
            done > 0 && `${grouped(done)} done`,
            discarded > 0 && `${grouped(discarded)} discarded`,
            failedAgain > 0 && `${grouped(failedAgain)} failed again`,
            refused > 0 && `${grouped(refused)} refused`,
            `by ${by}`,
            reason,
          ]
            .filter((one) => typeof one === 'string')
            .join(' · ')}
        </div>
      </div>
      <div role="gridcell" className={classes.when}>
        <Time at={createdAt} relative isPlain />
      </div>
    </div>
  )
}
