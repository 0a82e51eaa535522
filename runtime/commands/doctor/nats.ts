import { connectQueues, oldestNats, smallestMaxPayload } from '../../queue/connection.ts'
import type { Connection } from '../../queue/connection.ts'
import { withFewerCopies } from '../../queue/look/copies.ts'
import { storageOf } from '../../queue/streams.ts'
import { silentLog } from '../../telemetry/log.ts'
import type { Finding, Reached } from './finding.ts'

const natsTimeoutMs = 3_000
const fullShare = 0.95

type StreamInfo = Awaited<ReturnType<Connection['jsm']['streams']['info']>>

/** Connecting refuses a server that is too old or has too small a max_payload, with both figures. */
export async function examineNats(url: string, replicas: number): Promise<Reached> {
  const connection = await connectQueues({ url, name: 'sluice doctor', timeoutMs: natsTimeoutMs, log: silentLog })
  try {
    const { version, max_payload: maxPayload } = connection.nc.info ?? {}
    const text = `version ${version ?? '?'} (at least ${oldestNats}), max_payload ${maxPayload ?? '?'} (at least ${smallestMaxPayload}), JetStream answers`
    const findings = [
      { part: 'nats', state: 'ok', text } as const,
      await examineStorage(connection),
      await examineDurability(connection),
      ...(await examineCopies(connection, replicas)),
    ]
    return { findings, clockAheadMs: await natsClockAhead(connection) }
  } finally {
    await connection.close()
  }
}

/** NATS tells its time with a stream's state; null when there is no stream yet. */
async function natsClockAhead({ jsm }: Connection): Promise<number | null> {
  const asked = Date.now()
  const [stream] = await jsm.streams.list().next()
  const here = (asked + Date.now()) / 2
  return stream?.ts === undefined ? null : Math.round(Date.parse(stream.ts) - here)
}

/** An engine raises them when it starts, those of topologies that aren't published with their next publish. */
async function examineCopies(connection: Connection, replicas: number): Promise<Finding[]> {
  const fewer = await withFewerCopies(connection, replicas)
  if (fewer.length === 0) return []
  const text = `fewer than ${replicas} copies have ${fewer.join(', ')}: start control and bridges with --replicas ${replicas}; streams of unpublished topologies follow when they are published`
  return [{ part: 'durability', state: 'wrong', text }]
}

/** From the same share on control refuses starts. */
async function examineStorage(connection: Connection): Promise<Finding> {
  const { usedBytes, limitBytes } = await storageOf(connection)
  const part = 'storage'
  if (limitBytes === null)
    return { part, state: 'ok', text: `${usedBytes} bytes are stored; the account has no limit, the disk has one` }
  const text = `${usedBytes} of ${limitBytes} bytes are stored`
  if (usedBytes < limitBytes * fullShare) return { part, state: 'ok', text }
  return { part, state: 'wrong', text: `${text}, so starts are refused: give the account more, or settle what waits` }
}

/** How many copies there are of the queues, and whether all of them are there. */
async function examineDurability({ jsm, nc }: Connection): Promise<Finding> {
  const part = 'durability'
  const queues: StreamInfo[] = []
  for await (const stream of jsm.streams.list()) if (stream.config.name.startsWith('SLUICE_')) queues.push(stream)
  const named = (streams: readonly StreamInfo[]) =>
    `${streams.length} of ${queues.length} queues (${streams
      .slice(0, 3)
      .map(({ config }) => config.name)
      .join(', ')}${streams.length > 3 ? ', …' : ''})`
  const behind = queues.filter(({ cluster }) => cluster?.replicas?.some(({ current, offline }) => !current || offline))
  if (behind.length > 0)
    return {
      part,
      state: 'wrong',
      text: `copies of ${named(behind)} are behind or away: check the servers of the NATS cluster`,
    }
  const single = queues.filter(({ config }) => config.num_replicas < 2)
  if (single.length === 0)
    return { part, state: 'ok', text: `${queues.length} queues, each with its copies up to date` }
  const isCluster = nc.info?.cluster !== undefined
  if (isCluster)
    return {
      part,
      state: 'wrong',
      text: `${named(single)} have one copy only on a cluster: set --replicas 3 (SLUICE_REPLICAS), publish again`,
    }
  return {
    part,
    state: 'ok',
    text: `${queues.length} queues with one copy: safe when a process dies; for power cuts set sync_interval: always, or run a cluster`,
  }
}
