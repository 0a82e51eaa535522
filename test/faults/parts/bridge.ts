/** A bridge as production opens it, over ports that can end the process at a named point. Settings come as JSON in the first argument. */
import type { Consumer, ConsumerMessages } from '@nats-io/jetstream'
import { openBridge } from '../../../runtime/bridge/bridge.ts'
import type { Delivery } from '../../../runtime/queue/deliver/delivery.ts'
import type { Connection } from '../../../runtime/queue/connection.ts'
import { envelopeHeader } from '../../../runtime/queue/envelope.ts'
import { decodeRecord } from '../../../runtime/queue/ledger.ts'
import { openQueues } from '../../../runtime/queue/open.ts'
import type { Claim, Guard, GuardedPublish } from '../../../runtime/queue/publish/guard.ts'
import type { Publisher } from '../../../runtime/queue/publish/publisher.ts'
import { createLog } from '../../../runtime/telemetry/log.ts'
import type { BridgeSettings } from './process.ts'
import { openPoints, overlay } from './points.ts'
import type { BridgePoint, Points } from './points.ts'

const settings = JSON.parse(process.argv[2] ?? '{}') as BridgeSettings
const log = createLog('info', 2)
const points = openPoints()
const queues = await openQueues({ ...settings, name: 'bridge', log })
const connection = withPoints(queues.connection, points)
const guard = guardWithPoints(queues.guard, points)
const publisher = publisherWithPoints(queues.publisher, queues.connection, points)
await openBridge({
  queues: { ...queues, connection, guard, publisher },
  secretKey: settings.secretKey,
  graceMs: 2_000,
  highWater: settings.highWater,
  log,
})
points.ready()

/** Between the call and the publish, between the publish and the ack, and the same within a split. */
function guardWithPoints(guard: Guard, points: Points): Guard {
  return overlay(guard, {
    async publish(one, claim, signal) {
      const { before, after } = pointsOf(one, claim)
      if (before !== null) points.reach(before)
      const result = await guard.publish(one, claim, signal)
      points.reach(after)
      return result
    },
    async ask(...asked) {
      points.reach('before-ask')
      const answer = await guard.ask(...asked)
      points.reach('after-ask')
      return answer
    },
  })
}

/** What is published says what it is; what it is published from (a delivery) whether a hop, an event's hop or a split does it. */
function pointsOf(
  { tail, headers, body }: GuardedPublish,
  claim: Claim | null,
): { before: BridgePoint | null; after: BridgePoint } {
  const from = (claim as Partial<Delivery> | null)?.subject?.split('.')[3]
  if (from === 'event') return { before: null, after: 'after-event' }
  const kind = tail.split('.')[0]
  if (from === 'reply') {
    if (kind === 'ledger') return { before: 'before-split', after: 'split-recorded' }
    const envelope = JSON.parse(headers.find(([name]) => name === envelopeHeader)?.[1] ?? '{}') as { page?: number }
    return { before: null, after: (envelope.page ?? 0) > 0 ? 'split-continued' : 'mid-split' }
  }
  switch (kind) {
    case 'node':
      return { before: 'before-forward', after: 'after-forward' }
    case 'reply':
      return { before: 'before-reply', after: 'after-reply' }
    case 'later':
      return { before: 'before-later', after: 'after-later' }
    case 'trash':
      return { before: 'before-trash', after: 'after-trash' }
    default:
      return isCancelled(body)
        ? { before: 'before-cancel', after: 'after-cancel' }
        : { before: 'before-end', after: 'after-end' }
  }
}

function isCancelled(body: Uint8Array): boolean {
  const record = decodeRecord(body)
  return record.kind === 'ended' && record.cancelled
}

/** An atomic batch is cut off: what was sent of it gets to the server, the rest and its commit don't. */
function publisherWithPoints(publisher: Publisher, { nc }: Connection, points: Points): Publisher {
  let isCut = false
  return overlay(publisher, {
    send(subject, headers, body) {
      if (isCut) return
      publisher.send(subject, headers, body)
      if (!points.isDue('mid-batch')) return
      isCut = true
      void nc.flush().then(() => points.die())
    },
    publish: (subject, headers, body) => (isCut ? new Promise(() => {}) : publisher.publish(subject, headers, body)),
  })
}

/** Deliveries that are about to be handled, and acks: before they are sent, and just after. */
function withPoints(connection: Connection, points: Points): Connection {
  const { consumers } = connection.js
  const get = async (...which: Parameters<typeof consumers.get>): Promise<Consumer> => {
    const consumer = await consumers.get(...which)
    return overlay(consumer, { consume: (options) => consumeWithPoints(consumer, options, connection, points) })
  }
  return overlay(connection, { js: overlay(connection.js, { consumers: overlay(consumers, { get }) }) })
}

type ConsumeOptions = Parameters<Consumer['consume']>[0]

function consumeWithPoints(
  consumer: Consumer,
  options: ConsumeOptions,
  { nc }: Connection,
  points: Points,
): Promise<ConsumerMessages> {
  const callback = options?.callback
  return consumer.consume({
    ...options,
    callback(message) {
      points.reach('delivered')
      const isReply = message.subject.split('.')[3] === 'reply'
      const ack = message.ack.bind(message)
      message.ack = () => {
        points.reach(isReply ? 'split-published' : 'before-ack')
        ack()
        if (points.isDue('after-ack')) void nc.flush().then(() => points.die())
      }
      void callback?.(message)
    },
  })
}
