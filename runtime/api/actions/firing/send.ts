import { Unavailable, textOf } from '../../../errors.ts'
import { noteSent } from '../../../store/queries/starts/written.ts'
import type { WrittenStart } from '../../../store/queries/starts/written.ts'
import type { ApiDeps } from '../../deps.ts'
import { ownKey } from '../keys.ts'

export type Sending = Pick<ApiDeps, 'store' | 'queues' | 'log'>

/**
 * Puts starts that are written down into their queues. Whoever finds one that isn't noted as sent does it again: the guard takes it
 * once, as long as the recorder hasn't seen it, and after that it isn't unsent any more. What fails is left for later.
 */
export async function sendStarts({ store, queues, log }: Sending, starts: readonly WrittenStart[]): Promise<void> {
  const send = async (start: WrittenStart): Promise<string[]> => {
    try {
      await queues.start({ ...start, run: start.id, key: ownKey(start.id) })
      return [start.id]
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error
      log.debug('a start is sent again later', { run: start.id, error: textOf(error) })
      return []
    }
  }
  const sent = await Promise.all(starts.map(send))
  await noteSent(store, sent.flat())
}
