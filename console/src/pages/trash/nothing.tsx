import { Button } from '@mantine/core'
import { Link } from 'wouter'
import { Empty } from '../../parts/empty.tsx'
import type { TrashAddress } from './address.ts'

/** Nothing failed, nothing is left of it, or the filter leaves nothing: three things to say. */
export function NothingHere({ address: { filter, state } }: { readonly address: TrashAddress }) {
  const isFiltered = Object.keys(filter).some((name) => name !== 'in')
  if (isFiltered)
    return (
      <Empty icon="search" title={`Nothing ${state === 'all' ? '' : `${state} `}fits this filter`}>
        Take something out of the filter, or look at messages in another state.
        <br />
        <Button component={Link} href={state === 'open' ? '/trash' : `/trash?state=${state}`} variant="default" mt="sm">
          Without a filter
        </Button>
      </Empty>
    )
  if (state === 'open')
    return (
      <Empty icon="check" title="Nothing is in Trash">
        Every message that failed was replayed or discarded, or none did. What fails for good comes here with all that
        it went through, and stays until somebody decides.
        <br />
        <Button component={Link} href="/runs" variant="default" mt="sm">
          See the runs
        </Button>
      </Empty>
    )
  return (
    <Empty icon="trash" title={state === 'all' ? 'Nothing was ever in Trash' : `Nothing was ${state} yet`}>
      What is settled is kept for a while, as its topology says, and then forgotten.
    </Empty>
  )
}
