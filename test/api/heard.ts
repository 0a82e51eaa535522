import type { EngineEvent } from '../../runtime/queue/events.ts'
import type { TestApi } from './open.ts'

/** Does something while it listens: what that answered, and the first event of this kind. */
export async function heard<T>(
  t: TestApi,
  kind: EngineEvent['kind'],
  act: () => Promise<T>,
): Promise<[T, EngineEvent]> {
  const { signal } = new AbortController()
  let acting: Promise<T> | null = null
  for await (const { event } of t.queues.events.read({ after: null, topologyId: null, signal })) {
    acting ??= act()
    if (event?.kind === kind) return [await acting, event]
  }
  throw new Error(`no event of the kind ${kind} came`)
}
