import { useQueryClient } from '@tanstack/react-query'
import { useLocation } from 'wouter'
import { dataOf, engine, ifMatch } from '../../api/engine.ts'
import type { Worker } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { Confirm } from '../../parts/confirm.tsx'
import type { Pin } from '../../parts/form/pinned.tsx'
import { told } from '../../parts/toast.ts'
import { useCallers } from './callers.ts'
import type { Caller } from './callers.ts'

interface RemoveWorkerProps {
  readonly of: Pin<Worker>
  readonly close: () => void
}

export function RemoveWorker({ of, close }: RemoveWorkerProps) {
  const { name } = of.data
  const client = useQueryClient()
  const [, navigate] = useLocation()
  const callers = useCallers(name) ?? []
  const nodes = (all: readonly Caller[]): number => all.reduce((sum, caller) => sum + caller.nodes.length, 0)
  const drafts = callers.filter(({ isPublished }) => !isPublished)
  const published = callers.filter(({ isPublished }) => isPublished)
  const act = async (): Promise<void> => {
    try {
      await dataOf(engine.DELETE('/api/workers/{name}', { params: { path: { name } }, headers: ifMatch(of.etag) }))
    } catch (error) {
      await client.invalidateQueries({ queryKey: keys.workers(name) })
      throw error
    }
    await client.invalidateQueries({ queryKey: ['workers'], refetchType: 'none' })
    client.removeQueries({ queryKey: keys.workers(name) })
    told(`The worker ${name} is removed`)
    navigate('/workers')
  }
  const touches = [
    ...(published.length === 0
      ? []
      : [
          {
            count: nodes(published),
            one: 'published node',
            becomes: `call it (${names(published)}), so it is refused`,
          },
        ]),
    ...(drafts.length === 0
      ? []
      : [
          {
            count: nodes(drafts),
            one: 'node of a draft',
            many: 'nodes of drafts',
            becomes: `lack it (${names(drafts)}): those can’t be published`,
          },
        ]),
  ]
  return (
    <Confirm
      title={`Remove the worker ${name}?`}
      verb="Remove"
      danger
      touches={touches}
      race={of.race}
      act={act}
      close={close}
    >
      Its addresses and its secret go; the worker itself isn’t touched.
      {callers.length === 0 && ' No node names it.'}
    </Confirm>
  )
}

function names(callers: readonly Caller[]): string {
  const shown = callers.slice(0, 5).map(({ topology }) => topology)
  return shown.join(', ') + (callers.length > shown.length ? ', …' : '')
}
