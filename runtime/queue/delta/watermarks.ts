import type { Since } from '../../protocol/message.ts'
import { watermarkIdOf } from '../../protocol/reading.ts'
import type { Config } from '../config.ts'
import type { Connection } from '../connection.ts'
import { changeEntry, lastEntry } from '../entries.ts'
import type { WatermarkPlace } from './told.ts'

/**
 * Committed watermarks, where bridges ask for them when a run begins to read: in a bucket that nobody watches, since there is an
 * entry for each tenant. What is in Postgres is the truth; control tells it here after each change. A bridge sees what is committed
 * or something older, never something newer.
 */
interface Places {
  readonly connection: Connection
  readonly config: Config
}

const keyOf = ({ topologyId, nodeId, tenant }: WatermarkPlace): string =>
  `${topologyId}.${watermarkIdOf(topologyId, nodeId, tenant)}`

/** As the leader has it; of what was never told nothing, at epoch 0. */
export async function watermarkAt({ connection, config }: Places, place: WatermarkPlace): Promise<Since> {
  const entry = await lastEntry(connection, config.watermarksName, keyOf(place))
  return entry?.json<Since>() ?? { watermark: null, epoch: 0 }
}

/**
 * Whoever calls it holds the watermark's row, so `told` is what is committed. A call that comes late from a control that doesn't hold
 * it any more is refused by the entry's revision.
 */
export async function putWatermark({ connection, config }: Places, place: WatermarkPlace, told: Since): Promise<void> {
  const text = JSON.stringify({ watermark: told.watermark, epoch: told.epoch } satisfies Since)
  const bucket = { name: config.watermarksName, bucket: config.watermarks }
  await changeEntry(connection, bucket, keyOf(place), (before) => (before?.string() === text ? null : text))
}

/** Of a topology that is gone. */
export async function forgetWatermarks({ connection, config }: Places, topologyId: string): Promise<void> {
  const { watermarksName: bucket } = config
  await connection.jsm.streams.purge(`KV_${bucket}`, { filter: `$KV.${bucket}.${topologyId}.>` })
}

/** True for a bucket that was made anew: nothing of what was told before is in it. */
export async function hasNoWatermarks({ connection, config }: Places): Promise<boolean> {
  const { state } = await connection.jsm.streams.info(`KV_${config.watermarksName}`)
  return state.messages === 0
}
