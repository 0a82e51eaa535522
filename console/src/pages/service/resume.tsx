import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { dataOf, engine } from '../../api/engine.ts'
import type { LimitKey } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { ActButton } from '../../parts/act-button.tsx'
import { Confirm } from '../../parts/confirm.tsx'
import { Time } from '../../parts/show/time.tsx'
import { told } from '../../parts/toast.ts'
import { Asked } from '../services/use.tsx'
import { resumedText } from './resumed.ts'

interface OfKey {
  readonly name: string
  readonly of: LimitKey
}

/** Its last 429, and while it is left in peace the way to call it before. */
export function AskedAndResume({ name, of }: OfKey) {
  const [isOpen, setOpen] = useState(false)
  return (
    <>
      <Asked of={of} />
      {of.pausedUntil !== null && (
        <ActButton variant="default" size="compact-xs" mt={4} needs="operate" onClick={() => setOpen(true)}>
          Call it again
        </ActButton>
      )}
      {isOpen && <Resume name={name} of={of} close={() => setOpen(false)} />}
    </>
  )
}

function Resume({ name, of: { who, pausedUntil }, close }: OfKey & { readonly close: () => void }) {
  const queries = useQueryClient()
  const whose = who === null ? '' : ` for ${who}`
  const act = async (): Promise<void> => {
    const query = { ...(who !== null && { tenant: who }) }
    const { ended } = await dataOf(engine.POST('/api/services/{name}/resume', { params: { path: { name }, query } }))
    told(resumedText(name, who, ended))
    await queries.invalidateQueries({ queryKey: keys.serviceState(name) })
  }
  return (
    <Confirm title={`Call ${name} again${whose}?`} verb="Call it again" act={act} close={close}>
      It asked not to be called{' '}
      {pausedUntil === null ? (
        'for a while'
      ) : (
        <>
          until <Time at={pausedUntil} />
        </>
      )}
      . If it still means it, it answers 429 again, and calls wait anew.
      {who === null && ' Tenants that wait are called again, too.'}
    </Confirm>
  )
}
