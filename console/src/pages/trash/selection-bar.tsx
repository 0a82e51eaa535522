import { Button, Group, Text } from '@mantine/core'
import { useState } from 'react'
import type { TrashGroup } from '../../api/engine.ts'
import { ActButton } from '../../parts/act-button.tsx'
import { counted } from '../../parts/show/format.ts'
import { Time } from '../../parts/show/time.tsx'
import { bulkFilter } from './address.ts'
import type { TrashAddress } from './address.ts'
import type { BulkAsk } from './bulk/ask.ts'
import { BulkDialog } from './bulk/dialog.tsx'
import type { Change } from './filter-bar.tsx'
import { kindsMax, useKinds } from './kinds.tsx'
import type { Selection } from './selection.ts'
import classes from './trash.module.css'

interface SelectionBarProps {
  readonly address: TrashAddress
  readonly change: Change
  readonly selection: Selection
}

/** What is selected, or all that the filter leaves, and what can be done with it. */
export function SelectionBar({ address, change, selection }: SelectionBarProps) {
  const [ask, setAsk] = useState<BulkAsk | null>(null)
  const { data: kinds = [] } = useKinds(address)
  const [first] = kinds
  const { size } = selection.ids
  const filter = size > 0 ? { ids: [...selection.ids] } : bulkFilter(address)
  const count = size > 0 ? size : kinds.reduce((sum, kind) => sum + kind.count, 0)
  // There may be more kinds than are listed: how many messages these have isn't known here.
  const isAll = size > 0 || kinds.length < kindsMax
  const isKind = address.filter.fingerprint !== undefined && first !== undefined
  const what =
    size > 0 ? 'what you selected' : isKind ? `“${first.error.title}” at ${first.node}` : 'all that the filter leaves'
  const begin = (action: BulkAsk['action']): void => {
    setAsk({ action, filter: withSome(filter), count: isAll ? count : null, what })
  }
  const canAct = address.state === 'open' && count > 0
  if (!canAct && !isKind) return null
  return (
    <div className={classes.bar}>
      <div style={{ flex: 1, minWidth: 180 }}>
        {size > 0 ? (
          <Text size="sm" fw={600} role="status">
            {counted(size, 'message')} selected
          </Text>
        ) : isKind ? (
          <KindHead kind={first} count={count} change={change} />
        ) : (
          <Text size="sm" role="status">
            {isAll ? '' : 'More than '}
            {counted(count, 'message')} of {counted(kinds.length, 'kind')}
          </Text>
        )}
      </div>
      {canAct && (
        <Group gap={6}>
          {size > 0 && (
            <Button variant="subtle" onClick={selection.clear}>
              Clear
            </Button>
          )}
          <ActButton needs="operate" variant="default" color="red" onClick={() => begin('discard')}>
            {size > 0 ? 'Discard…' : 'Discard all…'}
          </ActButton>
          <ActButton needs="operate" onClick={() => begin('replay')}>
            {size > 0 ? 'Replay…' : 'Replay all…'}
          </ActButton>
        </Group>
      )}
      {ask && (
        <BulkDialog
          ask={ask}
          close={() => {
            setAsk(null)
            selection.clear()
          }}
        />
      )}
    </div>
  )
}

/** All of Trash is said with a time before the first of it: an empty filter is refused. */
function withSome(filter: BulkAsk['filter']): BulkAsk['filter'] {
  return Object.keys(filter).length > 0 ? filter : { since: '1970-01-01T00:00:00.000Z' }
}

interface KindHeadProps {
  readonly kind: TrashGroup
  readonly count: number
  readonly change: Change
}

function KindHead({ kind, count, change }: KindHeadProps) {
  return (
    <>
      <Text size="sm" fw={600}>
        {kind.error.title}
      </Text>
      <Text size="xs" c="dimmed" component="div">
        {counted(count, 'message')} at {kind.topology} › {kind.node}, first <Time at={kind.firstSeen} relative />, last{' '}
        <Time at={kind.lastSeen} relative />{' '}
        <Button
          variant="subtle"
          size="compact-xs"
          onClick={() => change({ fingerprint: null, message: null, view: 'kinds' })}
        >
          All kinds
        </Button>
      </Text>
    </>
  )
}
