import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { dataOf, engine } from '../../api/engine.ts'
import type { Bulk } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { ActButton } from '../../parts/act-button.tsx'
import { Confirm } from '../../parts/confirm.tsx'
import { failed } from '../../parts/toast.ts'

type Wish = 'pause' | 'resume' | 'cancel'

function useWish({ id }: Bulk) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (wish: Wish) => {
      const params = { path: { id } }
      if (wish === 'resume') return dataOf(engine.POST('/api/trash/bulk/{id}/resume', { params, body: {} }))
      if (wish === 'pause') return dataOf(engine.POST('/api/trash/bulk/{id}/pause', { params }))
      return dataOf(engine.POST('/api/trash/bulk/{id}/cancel', { params }))
    },
    onSuccess: (bulk) => void client.setQueryData(keys.bulk(id), bulk),
  })
}

/** Pause, go on, give up. */
export function Acts({ bulk }: { readonly bulk: Bulk }) {
  const wish = useWish(bulk)
  const [isAsking, setAsking] = useState(false)
  const { state } = bulk
  const act = (what: Wish) => (): void =>
    wish.mutate(what, { onError: (error) => failed(`It could not ${what}`, error) })
  if (state === 'finished' || state === 'cancelled') return null
  return (
    <>
      {state === 'running' && (
        <ActButton needs="operate" variant="default" loading={wish.isPending} onClick={act('pause')}>
          Pause
        </ActButton>
      )}
      {state !== 'running' && (
        <ActButton needs="operate" loading={wish.isPending} onClick={act('resume')}>
          Resume
        </ActButton>
      )}
      <ActButton needs="operate" variant="default" color="red" onClick={() => setAsking(true)}>
        Cancel…
      </ActButton>
      {isAsking && (
        <Confirm
          title="Cancel this bulk"
          verb="Cancel the bulk"
          danger
          touches={leftOf(bulk)}
          act={() => wish.mutateAsync('cancel')}
          close={() => setAsking(false)}
        />
      )}
    </>
  )
}

function leftOf({ messages }: Bulk) {
  return [
    { count: messages.waiting, one: 'message', becomes: 'not sent yet: left in Trash, open and unchanged' },
    { count: messages.underWay, one: 'message', becomes: 'under way: not stopped' },
  ].filter(({ count }) => count > 0)
}
