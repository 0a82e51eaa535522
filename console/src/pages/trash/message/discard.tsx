import { TextInput } from '@mantine/core'
import { useState } from 'react'
import type { TrashMessage } from '../../../api/engine.ts'
import { Confirm } from '../../../parts/confirm.tsx'
import { told } from '../../../parts/toast.ts'
import { useDiscard } from './message.ts'

interface DialogProps {
  readonly item: TrashMessage
  readonly close: () => void
}

export function DiscardDialog({ item, close }: DialogProps) {
  const [reason, setReason] = useState('')
  const discard = useDiscard(item.id)
  return (
    <Confirm
      title="Discard this message"
      verb="Discard"
      danger
      touches={[
        {
          count: 1,
          one: 'message',
          becomes: `at ${item.topology} › ${item.node} is given up: it is never sent again.`,
        },
      ]}
      act={async () => {
        await discard.mutateAsync(reason)
        told('The message is discarded')
      }}
      close={close}
    >
      It stays readable, with your reason, until its topology’s Trash forgets what is settled.
      <TextInput
        mt="sm"
        label="Reason"
        description="For whoever asks later."
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
        maxLength={1_000}
        data-autofocus
      />
    </Confirm>
  )
}
