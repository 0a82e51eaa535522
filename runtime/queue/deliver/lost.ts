import type { ConsumerMessages } from '@nats-io/jetstream'

/** Resolves with true when the consumer is gone, with false when the messages are closed. */
export async function untilLost(messages: ConsumerMessages): Promise<boolean> {
  for await (const { type } of messages.status()) {
    if (type === 'consumer_deleted' || type === 'consumer_not_found') return true
  }
  return false
}
