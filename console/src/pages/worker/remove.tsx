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
  const { data: callers = [], error, isFetching } = useCallers(name, 0)
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
            one: 'node of a published topology',
            many: 'nodes of published topologies',
            becomes: `name it (${names(published)}): it is refused while bridges call it`,
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
      isReading={isFetching}
      act={act}
      close={close}
    >
      Its addresses and its secret go; the worker itself isn’t touched.
      {saysWho(callers, isFetching, error)}
    </Confirm>
  )
}

function saysWho(callers: readonly Caller[], isReading: boolean, error: Error | null): string {
  if (isReading) return ' Which nodes name it is being read.'
  if (error !== null) return ' Which nodes name it could not be read; while bridges call it, it is refused.'
  return callers.length === 0 ? ' No node names it.' : ''
}

function names(callers: readonly Caller[]): string {
  const shown = callers.slice(0, 5).map(({ topology }) => topology)
  return shown.join(', ') + (callers.length > shown.length ? ', …' : '')
}
