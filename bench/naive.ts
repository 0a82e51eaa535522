/** The peer of the benchmark: what one writes in an afternoon. Duplicates after an outage and loses order, but it is fast and short. */
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import type { ConsumerMessages } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import { Pool } from 'undici'

export async function openNaive(nc: NatsConnection, stream: string, workerUrl: string) {
  const js = jetstream(nc)
  const jsm = await jetstreamManager(nc)
  const pool = new Pool(workerUrl, { pipelining: 1 })
  const open: ConsumerMessages[] = []
  await jsm.streams.add({ name: stream, subjects: [`${stream}.>`] })
  return {
    async run(prefetch: number) {
      for (const [node, next] of [
        ['a', 'b'],
        ['b', 'done'],
      ] as const) {
        await jsm.consumers.add(stream, {
          durable_name: node,
          filter_subject: `${stream}.${node}`,
          ack_policy: 'explicit',
          max_ack_pending: prefetch,
        })
        const consumer = await js.consumers.get(stream, node)
        const callback = async (message: { seq: number; data: Uint8Array; ack(): void }): Promise<void> => {
          const { body } = await pool.request({ method: 'POST', path: `/nodes/${node}`, body: message.data })
          await js.publish(`${stream}.${next}`, new Uint8Array(await body.arrayBuffer()), {
            msgID: `${node}-${message.seq}`,
          })
          message.ack()
        }
        open.push(await consumer.consume({ max_messages: 128, callback: (message) => void callback(message) }))
      }
    },
    async close() {
      for (const messages of open) await messages.close()
      await pool.close()
      await jsm.streams.delete(stream)
    },
  }
}
