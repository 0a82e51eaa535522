import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { dataOf, engine, ifMatch } from '../../api/engine.ts'
import type { Cursor } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { Confirm } from '../../parts/confirm.tsx'
import type { Race } from '../../parts/form/pinned.tsx'
import { Why, reasonOf } from '../../parts/form/why.tsx'
import { told } from '../../parts/toast.ts'

interface ResetCursorProps {
  /** As it is now: it is read on while this is open. */
  readonly cursor: Cursor
  /** Of the edits that were looked at. */
  readonly etag: string | null
  readonly race: Race
  readonly close: () => void
}

export function ResetCursor({ cursor: { id, node, page, state }, etag, race, close }: ResetCursorProps) {
  const client = useQueryClient()
  const [reason, setReason] = useState('')
  const act = async (): Promise<void> => {
    const body = reasonOf(reason)
    try {
      await dataOf(engine.POST('/api/cursors/{id}/reset', { params: { path: { id } }, body, headers: ifMatch(etag) }))
    } finally {
      await client.invalidateQueries({ queryKey: keys.cursor(id) })
    }
    told('It reads from the beginning')
  }
  const when = state === 'stopped' ? 'when its page in Trash is replayed' : 'with the next call'
  return (
    <Confirm
      title={`Read everything of ${node} again?`}
      verb="Read from the beginning"
      danger
      touches={[
        {
          count: page + 1,
          one: 'page that was read',
          many: 'pages that were read',
          becomes: `will be asked for again, ${when}`,
        },
      ]}
      race={race}
      act={act}
      close={close}
    >
      <p style={{ margin: '0 0 10px' }}>
        The cursor is dropped. What is read again comes as new messages and goes through the topology once more. The
        watermark of the run stays what it was.
      </p>
      <Why reason={reason} set={setReason} />
    </Confirm>
  )
}
