import { dataOf } from '../../../client/answer.ts'
import type { Engine } from '../../../client/engine.ts'
import { NotFound, Unavailable } from '../../../errors.ts'
import { openProgress } from '../../terminal/progress.ts'
import { timeoutMsDefault } from '../files/wait.ts'
import type { WaitFlags } from '../files/wait.ts'

const pollMs = 500

/** Settles everything of a topology as cancelled; says how far that is, or with `wait` that it is done. Throws `Unavailable`. */
export async function discard(engine: Engine, topology: string, flags: WaitFlags): Promise<string> {
  const left = await leftToDiscard(engine, topology)
  if (left === null) return `${topology} is a draft: nothing is queued`
  if (flags.wait !== true) return `${topology} is a draft; ${left}; it can be published when that is done`
  await poll(() => leftToDiscard(engine, topology), topology, flags)
  return `${topology} is a draft: what was queued is cancelled`
}

/** In words; null: everything has settled. The engine is told again each time, which changes nothing. */
async function leftToDiscard(engine: Engine, topology: string): Promise<string | null> {
  const params = { path: { topology }, query: { discard: 'true' as const } }
  const draft = await dataOf(engine.POST('/api/topologies/{topology}/unpublish', { params }))
  if (!('messagesLeft' in draft)) return null
  const { messagesLeft, note } = draft
  return `${messagesLeft} messages of it are being cancelled${note === null ? '' : ` (${note})`}`
}

/** Resolves when a topology that is being deleted is gone. Throws `Unavailable` when the time is over. */
export function awaitGone(engine: Engine, topology: string, flags: WaitFlags): Promise<void> {
  return poll(
    async () => ((await isThere(engine, topology)) ? 'its messages are being cancelled' : null),
    topology,
    flags,
  )
}

export async function isThere(engine: Engine, topology: string): Promise<boolean> {
  try {
    await engine.GET('/api/topologies/{topology}', { params: { path: { topology } } })
    return true
  } catch (error) {
    if (error instanceof NotFound) return false
    throw error
  }
}

async function poll(
  look: () => Promise<string | null>,
  topology: string,
  { timeout = timeoutMsDefault }: WaitFlags,
): Promise<void> {
  const progress = openProgress(process.stderr)
  const deadline = performance.now() + timeout
  for (let left = await look(); left !== null; left = await look()) {
    if (performance.now() >= deadline)
      throw new Unavailable(
        'bridges',
        `${topology}: ${left}, still after ${timeout / 1_000} s: look at \`sluice doctor\``,
      )
    progress.show(`${topology}: ${left}`)
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
}
