import { JetStreamApiError } from '@nats-io/jetstream'
import type { ConsumerInfo } from '@nats-io/jetstream'
import { Unavailable } from '../../errors.ts'
import type { Connection } from '../connection.ts'
import { isOwnConsumer } from '../names.ts'

interface Page {
  readonly total?: number
  readonly consumers?: readonly ConsumerInfo[] | null
  /** Names of those that didn't answer within four seconds: their leader is being elected, or their server is dead. */
  readonly missing?: readonly string[] | null
  readonly error?: ConstructorParameters<typeof JetStreamApiError>[0]
}

/** Longer than the server waits for consumers that don't answer. */
const answerMs = 6_000

/**
 * All consumers of a stream. The client's own list knows nothing of `missing`, and gives what it has: with one queue less, whoever
 * asks what is settled would take that queue for settled.
 * @throws Unavailable when one of the engine's queues is missing; a passing reader's may be, as long as its server is dead
 */
export async function consumersOf({ nc }: Connection, stream: string): Promise<ConsumerInfo[]> {
  const all: ConsumerInfo[] = []
  for (;;) {
    const answer = await nc.request(`$JS.API.CONSUMER.LIST.${stream}`, JSON.stringify({ offset: all.length }), {
      timeout: answerMs,
    })
    const { total = 0, consumers, missing, error } = answer.json<Page>()
    if (error) throw new JetStreamApiError(error)
    const silent = missing?.filter(isOwnConsumer) ?? []
    if (silent.length > 0) throw new Unavailable('nats', `consumers don't answer: ${silent.join(', ')}`)
    all.push(...(consumers ?? []))
    if (all.length >= total || !consumers?.length) return all
  }
}
