import { ActionIcon } from '@mantine/core'
import { useHotkeys } from '@mantine/hooks'
import { useEffect, useMemo, useRef } from 'react'
import type { TrashHead } from '../../api/engine.ts'
import { counted } from '../../parts/show/format.ts'
import { Icon } from '../../parts/icons.tsx'
import { StateBadge } from '../../parts/life/state-badge.tsx'
import { RowLink } from '../../parts/list/row-link.tsx'
import { RowList } from '../../parts/list/rows.tsx'
import { Time } from '../../parts/show/time.tsx'
import { messagesSource } from './address.ts'
import type { TrashAddress } from './address.ts'
import type { Change } from './filter-bar.tsx'
import { Inspector } from './message/inspector.tsx'
import { useSettling } from './message/settling.ts'
import { NothingHere } from './nothing.tsx'
import { SelectionBar } from './selection-bar.tsx'
import { useSelection } from './selection.ts'
import classes from './trash.module.css'

interface MessagesProps {
  readonly address: TrashAddress
  readonly change: Change
  /** The page with it beside the list. */
  readonly hrefOf: (row: TrashHead) => string
}

const rowHeight = 48

/** The messages, and one of them beside the list. */
export function Messages({ address, change, hrefOf }: MessagesProps) {
  const { message } = address
  const filterName = JSON.stringify([address.filter, address.state])
  const source = useMemo(() => messagesSource(address), [filterName]) // eslint-disable-line react-hooks/exhaustive-deps -- an address that says the same is the same
  const selection = useSelection(filterName)
  const close = (): void => change({ message: null, view: 'messages' }, 'replace')
  useHotkeys([['Escape', () => message !== null && close()]])
  return (
    <div className={classes.split} data-open={message !== null || undefined}>
      <div className={classes.list}>
        <SelectionBar address={address} change={change} selection={selection} />
        <RowList
          label="Messages in Trash"
          many="messages"
          isNarrowable
          source={source}
          rowHeight={rowHeight}
          render={(row, toggle) => (
            <Row
              row={row}
              href={hrefOf(row)}
              isSelected={selection.ids.has(row.id)}
              toggle={toggle}
              isPickable={row.state === 'open'}
            />
          )}
          open={(row) => change({ message: row.id, view: 'messages' }, message === null ? 'push' : 'replace')}
          openId={message}
          select={selection.toggle}
          isSelected={(row) => selection.ids.has(row.id)}
          isHeld={message !== null || selection.ids.size > 0}
          goOnFrom={(until) => change({ until, message: null })}
          empty={<NothingHere address={address} />}
        />
      </div>
      {message !== null && <Panel id={message} close={close} />}
    </div>
  )
}

interface RowProps {
  readonly row: TrashHead
  readonly href: string
  readonly isSelected: boolean
  readonly isPickable: boolean
  readonly toggle: (isRange: boolean) => void
}

function Row({ row, href, isSelected, isPickable, toggle }: RowProps) {
  const { id, error, topology, node, createdAt, attempts, state } = row
  const settling = useSettling(id)
  const shown = state === 'open' ? (settling ?? state) : state
  return (
    <div className={classes.row} role="presentation">
      <div className={classes.pick} role="gridcell" onClick={(event) => event.stopPropagation()}>
        <input
          type="checkbox"
          aria-label={`Select ${error.title}`}
          tabIndex={-1}
          checked={isSelected}
          disabled={!isPickable}
          readOnly
          onClick={(event) => toggle(event.shiftKey)}
        />
      </div>
      <div className={classes.text} role="gridcell">
        <div className={classes.title}>
          <RowLink href={href}>{error.title}</RowLink>
        </div>
        <div className={classes.detail}>
          {topology} › {node}
          {error.detail !== undefined && ` · ${error.detail}`}
        </div>
      </div>
      <div className={classes.side} role="gridcell">
        <Time at={createdAt} relative isPlain />
        {shown === 'open' ? <span>{counted(attempts, 'attempt')}</span> : <StateBadge state={shown} />}
      </div>
    </div>
  )
}

function Panel({ id, close }: { readonly id: string; readonly close: () => void }) {
  const panel = useRef<HTMLElement>(null)
  useEffect(() => {
    panel.current?.scrollTo(0, 0)
  }, [id])
  return (
    <section ref={panel} className={classes.panel} aria-label="Message" tabIndex={0}>
      <Inspector
        key={id}
        id={id}
        corner={
          <ActionIcon aria-label="Close the message" onClick={close}>
            <Icon name="close" />
          </ActionIcon>
        }
      />
    </section>
  )
}
