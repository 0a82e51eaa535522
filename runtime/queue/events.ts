import { setTimeout as wait } from 'node:timers/promises'
import { AckPolicy, DeliverPolicy, DiscardPolicy, RetentionPolicy, StorageType } from '@nats-io/jetstream'
import type { Consumer, ConsumerMessages, StreamInfo } from '@nats-io/jetstream'
import type { Connection } from './connection.ts'
import { raiseCopies } from './look/copies.ts'
import type { Copies } from './look/copies.ts'
import { orNull } from './streams.ts'
import { untilLost } from './deliver/lost.ts'

/**
 * What happens in the engine, for those who watch: a hint to look again, never a record. Events are kept for an hour, so that
 * a watcher whose connection broke goes on where it was.
 */
export type EngineEvent =
  | { readonly kind: 'draft'; readonly topologyId: string }
  | { readonly kind: 'plan'; readonly topologyId: string; readonly revision: number | null }
  | { readonly kind: 'pause'; readonly nodeId: string; readonly reason: string | null }
  | { readonly kind: 'pause'; readonly topologyId: string; readonly reason: string | null }
  | { readonly kind: 'worker'; readonly name: string; readonly removed: boolean }
  | { readonly kind: 'service'; readonly name: string; readonly removed: boolean }
  /** Of which one is for those who may list them. */
  | { readonly kind: 'token' }
  | { readonly kind: 'cursor' | 'watermark'; readonly topologyId: string; readonly nodeId: string }
  | {
      readonly kind: 'breaker'
      readonly bridge: string
      /** Null when it is an instance's. */
      readonly nodeId: string | null
      /** Null when it is a node's. */
      readonly instance: { readonly worker: string; readonly url: string } | null
      readonly state: string
      readonly reason: string | null
    }
  | { readonly kind: 'run'; readonly topologyId: string; readonly runId: string; readonly state: string }
  | {
      readonly kind: 'trash'
      readonly topologyId: string
      readonly added: Readonly<Record<string, number>>
      readonly settled: number
      /** The one that got a new version: it is open as before. */
      readonly edited?: string
    }
  | {
      readonly kind: 'bulk'
      /** Left out when it is about several. */
      readonly topologyId?: string
      readonly bulkId: string
      readonly action: string
      readonly state: string
      readonly step: string
      readonly messages: Readonly<Record<string, number>>
    }

export const eventKinds = [
  'draft',
  'plan',
  'pause',
  'worker',
  'service',
  'token',
  'breaker',
  'run',
  'cursor',
  'watermark',
  'trash',
  'bulk',
] as const

export interface Numbered {
  /** Good for `after` of a later reading. */
  readonly id: string
  /** Null: a place to go on from, nothing happened. */
  readonly event: EngineEvent | null
  /** True when events between `after` and this one may be gone: look at everything anew. */
  readonly gap: boolean
}

export interface Events {
  /** Tells everybody who watches, at all controls. Never waits, never fails; with NATS away nobody is told. */
  emit(event: EngineEvent): void
  /**
   * First one without an event, then everything that happens, in order, until the signal aborts. `after` is an id that was read
   * before; null or an unknown one begins now.
   */
  read(options: {
    readonly after: string | null
    readonly topologyId: string | null
    readonly signal: AbortSignal
  }): AsyncGenerator<Numbered>
}

const nanos = (ms: number): number => ms * 1_000_000
const keptMs = 3_600_000
const keptBytes = 64 * 1024 * 1024
const ahead = 500
/** A consumer that is lost is noticed after two of them. */
const heartbeatMs = 2_000
/** After a reading ended by itself. */
const againMs = 250
/** Stands in the subject of what concerns no single topology. */
const everybody = '_'

/** @throws the client's errors when NATS can't be reached */
export async function openEvents(connection: Connection, namespace: string, copies: Copies): Promise<Events> {
  const stream = `${namespace}_events`
  await ensureEvents(connection, stream, copies)
  const encoder = new TextEncoder()
  return {
    emit(event) {
      if (!connection.connected) return
      const place = ('topologyId' in event ? event.topologyId : undefined) ?? everybody
      connection.nc.publish(`${stream}.${place}.${event.kind}`, encoder.encode(JSON.stringify(event)))
    },
    async *read({ after, topologyId, signal }) {
      let last = after
      while (!signal.aborted) {
        const isConnected = await connection.whenConnected(signal).then(
          () => true,
          () => false,
        )
        if (!isConnected) return
        for await (const numbered of readOnce(connection, stream, { after: last, topologyId, signal })) {
          last = numbered.id
          yield numbered
        }
        await wait(againMs, undefined, { signal }).catch(() => undefined)
      }
    },
  }
}

async function ensureEvents(connection: Connection, stream: string, copies: Copies): Promise<void> {
  const known = await connection.jsm.streams.info(stream).catch(orNull)
  if (known !== null) return raiseCopies(connection, known, copies)
  await connection.jsm.streams.add({
    name: stream,
    subjects: [`${stream}.>`],
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    storage: StorageType.File,
    max_age: nanos(keptMs),
    max_bytes: keptBytes,
    num_replicas: copies.replicas,
  })
}

/** Over one connection to NATS, and one consumer: ends when it breaks, or that is lost. */
async function* readOnce(
  connection: Connection,
  stream: string,
  { after, topologyId, signal }: { after: string | null; topologyId: string | null; signal: AbortSignal },
): AsyncGenerator<Numbered> {
  let reading: Reading | null = null
  const stop = (): void => void reading?.messages.close()
  const stopListening = connection.onChange(stop)
  signal.addEventListener('abort', stop)
  try {
    const info = await connection.jsm.streams.info(stream)
    const epoch = Date.parse(info.created).toString(36)
    const from = startOf(info, epoch, after)
    yield { id: `${epoch}-${from.sequence}`, event: null, gap: from.gap }
    reading = await consume(connection, stream, from.sequence + 1, topologyId)
    if (signal.aborted || !connection.connected) return
    void untilLost(reading.messages).then((lost) => lost && stop())
    for await (const message of reading.messages)
      yield { id: `${epoch}-${message.seq}`, event: message.json<EngineEvent>(), gap: false }
  } catch (error) {
    if (connection.connected && !signal.aborted) throw error
  } finally {
    stopListening()
    signal.removeEventListener('abort', stop)
    await reading?.messages.close()
    // The server would keep it for a minute, and takes a thousand of them.
    await reading?.consumer.delete().catch(() => undefined)
  }
}

/** The last sequence that the reader knows, and whether something after it may be gone. */
function startOf({ state }: StreamInfo, epoch: string, after: string | null): { sequence: number; gap: boolean } {
  const now = { sequence: state.last_seq, gap: after !== null }
  const [, of, text] = /^([0-9a-z]{1,12})-([0-9]{1,15})$/.exec(after ?? '') ?? []
  const sequence = Number(text)
  if (of !== epoch || sequence > state.last_seq || sequence + 1 < state.first_seq) return now
  return { sequence, gap: false }
}

interface Reading {
  readonly consumer: Consumer
  readonly messages: ConsumerMessages
}

async function consume(
  connection: Connection,
  stream: string,
  from: number,
  topologyId: string | null,
): Promise<Reading> {
  const info = await connection.jsm.consumers.add(stream, {
    filter_subjects: topologyId === null ? [`${stream}.>`] : [`${stream}.${topologyId}.>`, `${stream}.${everybody}.>`],
    ack_policy: AckPolicy.None,
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: from,
    inactive_threshold: nanos(60_000),
    mem_storage: true,
    num_replicas: 1,
  })
  const consumer = await connection.js.consumers.get(stream, info.name)
  return { consumer, messages: await consumer.consume({ max_messages: ahead, idle_heartbeat: heartbeatMs }) }
}
