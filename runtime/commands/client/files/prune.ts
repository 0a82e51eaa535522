import { answerOf, dataOf, ifMatch } from '../../../client/answer.ts'
import type { Engine } from '../../../client/engine.ts'
import { Conflict, textOf } from '../../../errors.ts'
import { setLabel } from './owner.ts'

/** Names of the topologies of the set that are in none of the files any more. */
export async function straysOf(engine: Engine, set: string, kept: ReadonlySet<string>): Promise<string[]> {
  const strays: string[] = []
  for await (const { name, labels } of engine.items('/api/topologies'))
    if (labels[setLabel] === set && !kept.has(name)) strays.push(name)
  return strays
}

/**
 * Stops a topology and deletes it, if nothing is left of it to be done. Throws `Conflict` when there is, or when it left the set
 * meanwhile: then it stays as it is.
 */
export async function prune(engine: Engine, name: string, set: string): Promise<void> {
  const params = { path: { topology: name } }
  const { data: topology, etag } = await answerOf(engine.GET('/api/topologies/{topology}', { params }))
  if (topology.labels[setLabel] !== set) throw new Conflict(`${name} is not in the set "${set}" any more`)
  const left = await leftOf(engine, name, topology.visibility === 'public')
  if (left !== null) throw new Conflict(`${name} is not pruned: ${left}`)
  // With the ETag of what was looked at: whoever changes it meanwhile keeps it.
  const stopped = await answerOf(
    engine.POST('/api/topologies/{topology}/unpublish', { params, headers: ifMatch(etag) }),
  )
  try {
    await engine.DELETE('/api/topologies/{topology}', { params, headers: ifMatch(stopped.etag) })
  } catch (error) {
    const text = `${name} is unpublished, and not deleted: ${textOf(error)}; what is queued is kept`
    throw new Conflict(text, { cause: error })
  }
}

/** What there is still to be done, in words; null: nothing. */
async function leftOf(engine: Engine, topology: string, isPublic: boolean): Promise<string | null> {
  const query = { topology, limit: 1 }
  const [queues, running, trash] = await Promise.all([
    isPublic ? engine.list('/api/queues', { query: { topology } }) : [],
    dataOf(engine.GET('/api/runs', { params: { query: { ...query, state: 'running' } } })),
    dataOf(engine.GET('/api/trash', { params: { query: { ...query, state: 'open' } } })),
  ])
  const queued = queues.reduce((sum, { pending, inFlight, replies }) => sum + pending + inFlight + replies, 0)
  if (queued > 0) return `${queued} messages of it are queued; disable it, let them finish, then prune again`
  if (running.items.length > 0)
    return 'a run of it is not over; disable it, let it finish or cancel it, then prune again'
  if (trash.items.length > 0) return `messages of it lie in Trash: see \`sluice trash list --topology ${topology}\``
  return null
}
