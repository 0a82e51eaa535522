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
/** With NATS away each failure takes its time. */
const failuresMax = 5

/** Ids after which the next round goes on; what can't be told comes again when all others had their turn. */
export interface Told {
  watermark: string
  cursor: string
}

export const openTold = (): Told => ({ watermark: '', cursor: '' })

/**
 * Tells what is committed and wasn't told: whoever committed it died, or couldn't reach NATS. What fails goes into `errors`, and keeps
 * nothing else from being told.
 */
export async function tellUntold(
  { store, queues }: Pick<Deps, 'store' | 'queues'>,
  told: Told,
  errors: unknown[],
): Promise<void> {
  const watermarks = await untoldWatermarks(store, told.watermark, atOnce)
  told.watermark = await tellEach(watermarks, errors, (id) => tellWatermark(store, id, queues.putWatermark))
  const cursors = await untoldCursors(store, told.cursor, atOnce)
  told.cursor = await tellEach(cursors, errors, (id) => tellCursor(store, id, queues.putEdit))
}

/** After which the next round goes on. */
async function tellEach(
  ids: readonly string[],
  errors: unknown[],
  tell: (id: string) => Promise<void>,
): Promise<string> {
  let failures = 0
  for (const id of ids) {
    const error = await tell(id).then(
      () => null,
      (error: unknown) => error,
    )
    if (error === null) continue
    errors.push(error)
    if (++failures === failuresMax) return id
  }
  return ids.length < atOnce ? '' : (ids.at(-1) ?? '')
}

/** Takes away edits that no bridge needs any more; and tells everything again when what was told is gone. */
export async function tidyTold({ store, queues }: Pick<Deps, 'store' | 'queues'>): Promise<void> {
  for (const edit of await settledEdits(store, await queues.edits())) await queues.forgetEdit(edit)
  if (await queues.hasNoWatermarks()) await forgetTold(store)
}
