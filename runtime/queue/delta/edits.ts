import type { Config } from '../config.ts'
import type { Connection } from '../connection.ts'
import { changeEntry, lastEntry } from '../entries.ts'
import { cursorKey } from './told.ts'
import type { CursorEdit, ToldEdit } from './told.ts'

/**
 * Cursors that a person has edited and no page was read with yet, as entries `cursor.<topologyId>.<reading>` that all bridges watch.
 * An edit has a number, and a message says by which one it was asked for last: so each is taken once, however often it is seen, and
 * an entry that is still there (or still known) afterwards does nothing.
 */
interface Places {
  readonly connection: Connection
  readonly config: Config
}

/** Whoever calls it holds the cursor's row; a call that comes late from a control that doesn't hold it any more changes nothing. */
export async function putEdit(
  { connection, config }: Places,
  topologyId: string,
  reading: string,
  { edit, cursor }: CursorEdit,
): Promise<void> {
  const place = { name: config.name, bucket: config.config }
  await changeEntry(connection, place, cursorKey(topologyId, reading), (before) =>
    before !== null && before.json<CursorEdit>().edit >= edit ? null : JSON.stringify({ edit, cursor }),
  )
}

/** All that are told, as the leader has them. */
export async function editsTold({ connection, config }: Places): Promise<ToldEdit[]> {
  const subject = (key: string): string => `$KV.${config.name}.${key}`
  const { state } = await connection.jsm.streams.info(`KV_${config.name}`, { subjects_filter: subject('cursor.>') })
  const keys = Object.keys(state.subjects ?? {}).map((each) => each.slice(subject('').length))
  const entries = await Promise.all(keys.map((key) => lastEntry(connection, config.name, key)))
  return keys.flatMap((key, index) => {
    const entry = entries[index]
    const [, topologyId = '', reading = ''] = key.split('.')
    return entry ? [{ topologyId, reading, revision: entry.seq, ...entry.json<CursorEdit>() }] : []
  })
}

/** Takes an entry away without a trace, unless it was put again since it was read. Bridges that know it need not hear of it. */
export async function forgetEdit(
  { connection, config }: Places,
  { topologyId, reading, revision }: Pick<ToldEdit, 'topologyId' | 'reading' | 'revision'>,
): Promise<void> {
  const filter = `$KV.${config.name}.${cursorKey(topologyId, reading)}`
  await connection.jsm.streams.purge(`KV_${config.name}`, { filter, seq: revision + 1 })
}
