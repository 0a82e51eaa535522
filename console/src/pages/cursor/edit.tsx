import { NumberInput, SegmentedControl, Text, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { dataOf, engine, ifMatch } from '../../api/engine.ts'
import type { Cursor } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { faultAt } from '../../api/problem.ts'
import { FormModal } from '../../parts/form/form-modal.tsx'
import type { Race } from '../../parts/form/pinned.tsx'
import { Why, reasonOf } from '../../parts/form/why.tsx'
import { told } from '../../parts/toast.ts'

interface EditCursorProps {
  /** As it is now: it is read on while this is open. */
  readonly cursor: Cursor
  /** Of the edits that were looked at. */
  readonly etag: string | null
  readonly race: Race
  /** To go back to; null: from a cursor that is typed. */
  readonly page: number | null
  readonly close: () => void
}

type Way = 'cursor' | 'page'

/** Where the next page is asked for, and what that means. */
export function EditCursor({ cursor, etag, race, page: given, close }: EditCursorProps) {
  const [way, setWay] = useState<Way>(given === null ? 'cursor' : 'page')
  const [text, setText] = useState(cursor.next ?? '')
  const [page, setPage] = useState<number | string>(given ?? Math.max(0, cursor.page))
  const [reason, setReason] = useState('')
  const edit = useEdit(cursor.id, etag, close)
  const lacksPage = way === 'page' && page === ''
  const submit = (): void => {
    if (lacksPage) return
    const to = way === 'cursor' ? { cursor: text } : { page: Number(page) }
    edit.mutate({ ...to, ...reasonOf(reason) })
  }
  return (
    <FormModal
      title={`Move the cursor of ${cursor.node}`}
      verb={way === 'cursor' ? 'Go on from there' : `Go back to page ${page}`}
      isBusy={edit.isPending}
      error={edit.error}
      fields={['cursor', 'page', 'reason']}
      submit={submit}
      close={close}
      race={race}
    >
      <SegmentedControl
        size="xs"
        aria-label="Where to"
        value={way}
        onChange={(value) => setWay(value === 'page' ? 'page' : 'cursor')}
        data={[
          { value: 'cursor', label: 'To a cursor' },
          { value: 'page', label: 'Back to a page' },
        ]}
      />
      {way === 'cursor' ? (
        <TextInput
          label="Cursor"
          description="As the worker answers it in sluice-cursor: printable ASCII"
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          error={faultAt(edit.error, 'cursor')}
          data-autofocus
        />
      ) : (
        <NumberInput
          size="xs"
          label="Page"
          description={`One of the pages 0 to ${cursor.page} that were read: it is asked for again with the cursor of then`}
          min={0}
          max={cursor.page}
          value={page}
          onChange={setPage}
          error={lacksPage ? `Give a page, 0 to ${cursor.page}` : faultAt(edit.error, 'page')}
          data-autofocus
        />
      )}
      <Why reason={reason} set={setReason} error={faultAt(edit.error, 'reason')} />
      <Text size="sm" c="dimmed">
        {meaning(cursor)} Pages count on: what is read again comes as new messages, so whatever was read since then goes
        through the topology once more.
      </Text>
    </FormModal>
  )
}

function meaning({ state, node }: Cursor): string {
  return state === 'stopped'
    ? `Its page lies in Trash: the replay of that page asks with it, nothing before.`
    : `The next call of ${node} asks with it, also while a page is just being tried again.`
}

function useEdit(id: string, etag: string | null, close: () => void) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: { cursor?: string; page?: number; reason?: string }) =>
      dataOf(engine.PUT('/api/cursors/{id}', { params: { path: { id } }, body, headers: ifMatch(etag) })),
    onSuccess: () => {
      told('The cursor was moved')
      close()
    },
    onSettled: () => client.invalidateQueries({ queryKey: keys.cursor(id) }),
  })
}
