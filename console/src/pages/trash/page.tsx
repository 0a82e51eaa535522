import { Anchor, SegmentedControl } from '@mantine/core'
import { Link } from 'wouter'
import { useAddress, withQuery } from '../../parts/filters/query.ts'
import { Page } from '../../parts/page.tsx'
import { readAddress } from './address.ts'
import { FilterBar } from './filter-bar.tsx'
import { Kinds } from './kinds.tsx'
import { Messages } from './messages.tsx'

export default function TrashPage() {
  const [query, change] = useAddress()
  const address = readAddress(query)
  const isMessages = address.view === 'messages'
  return (
    <Page
      title="Trash"
      full={isMessages}
      actions={
        <>
          <Anchor component={Link} href="/trash/bulks" size="sm">
            Bulks
          </Anchor>
          <SegmentedControl
            size="xs"
            aria-label="View"
            value={address.view}
            onChange={(view) => change({ view, message: null, ...(view === 'kinds' && { fingerprint: null }) })}
            data={[
              { value: 'kinds', label: 'Kinds of failures' },
              { value: 'messages', label: 'Messages' },
            ]}
          />
        </>
      }
    >
      <FilterBar address={address} change={change} />
      {isMessages ? (
        <Messages
          address={address}
          change={change}
          hrefOf={({ id }) => withQuery('/trash', query, { message: id, view: 'messages' })}
        />
      ) : (
        <Kinds address={address} query={query} />
      )}
    </Page>
  )
}
