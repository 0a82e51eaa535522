import { Text, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { dataOf, engine, ifMatch } from '../../api/engine.ts'
import type { Watermark } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { faultAt } from '../../api/problem.ts'
import { Confirm } from '../../parts/confirm.tsx'
import { FormModal } from '../../parts/form/form-modal.tsx'
import type { Pin } from '../../parts/form/pinned.tsx'
import { Why, reasonOf } from '../../parts/form/why.tsx'
import { Mono } from '../../parts/show/facts.tsx'
import { told } from '../../parts/toast.ts'

interface MoveWatermarkProps {
  readonly of: Pin<Watermark>
  /** What stands in the field at first; null: what it is. */
  readonly to: string | null
  readonly close: () => void
}

export function MoveWatermark({ of, to, close }: MoveWatermarkProps) {
  const { id, node, watermark } = of.data
  const client = useQueryClient()
  const [text, setText] = useState(to ?? watermark ?? '')
  const [reason, setReason] = useState('')
  const move = useMutation({
    mutationFn: () => {
      const body = { watermark: text, ...reasonOf(reason) }
      return dataOf(engine.PUT('/api/watermarks/{id}', { params: { path: { id } }, body, headers: ifMatch(of.etag) }))
    },
    onSuccess: () => {
      told('The watermark was moved')
      close()
    },
    onSettled: () => client.invalidateQueries({ queryKey: keys.watermark(id) }),
  })
  return (
    <FormModal
      title={`Move the watermark of ${node}`}
      verb="Move it"
      isBusy={move.isPending}
      error={move.error}
      fields={['watermark', 'reason']}
      submit={() => move.mutate()}
      close={close}
      race={of.race}
    >
      <Text size="sm">
        Now: {watermark === null ? 'none' : <Mono>{watermark}</Mono>}. Moved back, records come again as new messages;
        moved forwards, what lies between is never read.
      </Text>
      <TextInput
        label="Watermark"
        description="A time such as 2026-03-01T10:00:00Z, a number, or a text, as the worker proposes it"
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        error={faultAt(move.error, 'watermark')}
        data-autofocus
      />
      <Why reason={reason} set={setReason} error={faultAt(move.error, 'reason')} />
      <Text size="sm" c="dimmed">
        Runs that begin from now on read from there. Those under way go on as they are, and what they propose is not
        committed any more.
      </Text>
    </FormModal>
  )
}

type ResetWatermarkProps = Omit<MoveWatermarkProps, 'to'>

export function ResetWatermark({ of, close }: ResetWatermarkProps) {
  const { id, node, watermark } = of.data
  const client = useQueryClient()
  const act = async (): Promise<void> => {
    const params = { path: { id } }
    try {
      await dataOf(engine.POST('/api/watermarks/{id}/reset', { params, body: {}, headers: ifMatch(of.etag) }))
    } finally {
      await client.invalidateQueries({ queryKey: keys.watermark(id) })
    }
    told('The watermark was forgotten')
  }
  return (
    <Confirm
      title={`Forget up to where ${node} has read?`}
      verb="Forget it"
      danger
      touches={[
        {
          count: 1,
          one: 'watermark',
          becomes:
            'is forgotten: the next run begins with the node’s initial one, or reads all of the source from its beginning.',
        },
      ]}
      race={of.race}
      act={act}
      close={close}
    >
      {watermark !== null && (
        <>
          It has read up to <Mono>{watermark}</Mono>.{' '}
        </>
      )}
      What is read again comes as new messages. Runs under way go on as they are.
    </Confirm>
  )
}
