import { textOf } from '../../../errors.ts'
import { settledEdits, tellCursor, untoldCursors } from '../../../store/delta/cursors.ts'
import { forgetTold, tellWatermark, untoldWatermarks } from '../../../store/delta/watermarks.ts'
import type { ApiDeps } from '../../deps.ts'

type Deps = Pick<ApiDeps, 'store' | 'queues' | 'log'>

/**
 * What a person edits is committed first, and then told to the bridges: they never go by what nobody decided. If telling fails, the
 * answer says that it is pending, and any control does it within seconds.
 */
export async function tellEdit({ store, queues, log }: Deps, id: string): Promise<void> {
  await tellCursor(store, id, queues.putEdit).catch((error: unknown) =>
    log.warn('an edited cursor is told to the bridges later', { cursor: id, error: textOf(error) }),
  )
}

/** The same for a watermark. */
export async function tellSetting({ store, queues, log }: Deps, id: string): Promise<void> {
  await tellWatermark(store, id, queues.putWatermark).catch((error: unknown) =>
    log.warn('a watermark is told to the bridges later', { watermark: id, error: textOf(error) }),
  )
}

const atOnce = 500

/** Tells what is committed and wasn't told: whoever committed it died, or couldn't reach NATS. */
export async function tellUntold({ store, queues }: Pick<Deps, 'store' | 'queues'>): Promise<void> {
  for (const id of await untoldWatermarks(store, atOnce)) await tellWatermark(store, id, queues.putWatermark)
  for (const id of await untoldCursors(store, atOnce)) await tellCursor(store, id, queues.putEdit)
}

/** Takes away edits that no bridge needs any more; and tells everything again when what was told is gone. */
export async function tidyTold({ store, queues }: Pick<Deps, 'store' | 'queues'>): Promise<void> {
  for (const edit of await settledEdits(store, await queues.edits())) await queues.forgetEdit(edit)
  if (await queues.hasNoWatermarks()) await forgetTold(store)
}
