import { expect, test } from 'vitest'
import { openCancelled } from '../../runtime/bridge/cancelled.ts'
import { openReading } from '../../runtime/bridge/paging/reading.ts'
import { openHighWater } from '../../runtime/bridge/high-water.ts'
import { split } from '../../runtime/bridge/split.ts'
import { nodeFilter, streamName } from '../../runtime/queue/names.ts'
import { PublishRefused } from '../../runtime/queue/publish/publisher.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { startEngine } from '../support/engine.ts'
import { closing } from './flow.ts'
import { dyingAfter, listSite, storeReply, takeReply } from './replies.ts'

const neverStop = { soon: new AbortController().signal, now: new AbortController().signal }

test.each([3, 49, 50, 1_000, 2_300])(
  'a reply of %i records that is split twice, half of it by a bridge that died, makes each message once',
  async (count) => {
    const engine = await startEngine([{ name: 'list', type: 'batch' }, { name: 'store' }])
    closing.push(engine)
    const topologyId = engine.plan.topologyId
    await storeReply(engine, count)
    const { guard, publisher, connection } = engine.queues
    const ports = {
      guard,
      publisher,
      highWater: openHighWater(connection, 10_000),
      cancelled: openCancelled(engine.queues),
      reading: openReading(engine.queues),
      log: silentLog,
    }

    const site = listSite(engine)
    const first = await takeReply(engine)
    // The first bridge's batches are refused; it dies after it has published some of the messages singly.
    const half = {
      ...ports,
      publisher: { ...publisher, publish: () => Promise.reject(new PublishRefused(503, 'no batches')) },
      guard: { ...ports.guard, publish: dyingAfter(ports.guard.publish, 2 + Math.floor(count / 2)) },
    }
    await expect(split(first, site, half, neverStop)).rejects.toThrow('killed')
    await split(first, site, ports, neverStop)

    const outcomes = await engine.outcomesUntil((all) => all.length > 0)
    expect(outcomes).toMatchObject([{ kind: 'split', delta: count }])
    const info = await engine.queues.connection.jsm.streams.info(streamName(topologyId), {
      subjects_filter: nodeFilter(topologyId, engine.id('store')),
    })
    expect(Object.keys(info.state.subjects ?? {})).toHaveLength(count)
    expect(Object.values(info.state.subjects ?? {}).every((messages) => messages === 1)).toBe(true)
  },
)
