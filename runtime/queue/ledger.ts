import { AckPolicy, DeliverPolicy } from '@nats-io/jetstream'
import type { Consumer, ConsumerMessages, JsMsg } from '@nats-io/jetstream'
import type { ChunkHead } from '../protocol/intake.ts'
import type { Message } from '../protocol/message.ts'
import type {
  Closed,
  Discarded,
  Ended,
  Opened,
  Outcome,
  PageRead,
  Received,
  Replayed,
  Split,
  Started,
  Trashed,
} from '../protocol/outcome.ts'
import { textOf } from '../errors.ts'
import type { Log } from '../telemetry/log.ts'
import type { Connection } from './connection.ts'
import { chunkHeader, decodeEnvelope, envelopeHeader } from './envelope.ts'
import { firstStored, lastStored } from './janitor/stored.ts'
import { orNull } from './streams.ts'
import { ledgerTail, eventsFilter, streamName, tailFilter, trashTail } from './names.ts'

/** Outcomes as they are kept: a ledger record is JSON; a Trash message is the failed body with the rest in its envelope header. */
export type LedgerRecord = Opened | Closed | Ended | Split | Replayed | Discarded | Rerun

/** The start of a run that begins with recorded messages: it has none of its own. */
type Rerun = Omit<Started, 'body' | 'intake'>

const encoder = new TextEncoder()
const decoder = new TextDecoder()
export const encodeRecord = (record: LedgerRecord): Uint8Array => encoder.encode(JSON.stringify(record))
/** @throws SyntaxError when the bytes aren't ours */
export const decodeRecord = (bytes: Uint8Array): LedgerRecord => JSON.parse(decoder.decode(bytes)) as LedgerRecord

type Ending = Pick<Message, 'run' | 'created' | 'trail'>

/** A message came to its end. Cancelled: nothing follows from it, wherever it was (I7). */
export function endedRecord(
  message: Ending,
  nodeId: string,
  cancelled: boolean,
  batch: PageRead | null = null,
): Uint8Array {
  const { run, created, trail } = message
  const at = new Date().toISOString()
  return encodeRecord({ kind: 'ended', run, nodeId, at, cancelled, created, trail, ...(batch && { batch }) })
}

export interface OutcomeReader {
  /** The next outcomes in the stream's order, at least one; null after `close` or when the reader must be opened anew. */
  next(): Promise<{ outcomes: Outcome[]; to: number } | null>
  close(): Promise<void>
}

/** What is read ahead of what is written down: bounds memory. */
const ahead = { messages: 2_000, bytes: 16 * 1024 * 1024 }
const fetchMs = 30_000
const forgottenAfterNs = 60_000_000_000

/** When the stream was made: an outcome's position means something only within one life of the stream. Null: no stream. */
export async function streamEpoch(connection: Connection, topologyId: string): Promise<string | null> {
  const info = await connection.jsm.streams.info(streamName(topologyId)).catch(orNull)
  return info?.created ?? null
}

/** Subjects of everything that the recorder reads: the same for every plan of the topology. */
export const outcomeFilters = (t: string): string[] => [
  tailFilter(t, ledgerTail),
  tailFilter(t, trashTail),
  eventsFilter(t),
]

/** The last outcome of a topology that is stored; null: none is, or there is no stream. */
export async function lastOutcome(
  connection: Connection,
  topologyId: string,
): Promise<{ epoch: string; sequence: number } | null> {
  const epoch = await streamEpoch(connection, topologyId)
  if (epoch === null) return null
  const last = outcomeFilters(topologyId).map((filter) => lastStored(connection, streamName(topologyId), filter))
  const sequence = Math.max(0, ...(await Promise.all(last)).map((stored) => stored?.seq ?? 0))
  return sequence === 0 ? null : { epoch, sequence }
}

/** When the first outcome after a place in the stream was stored; null: there is none. */
export async function outcomeAfter(connection: Connection, topologyId: string, sequence: number): Promise<Date | null> {
  const looks = outcomeFilters(topologyId).map((filter) =>
    firstStored(connection, streamName(topologyId), sequence + 1, filter),
  )
  const found = (await Promise.all(looks)).filter((stored) => stored !== null)
  return found.sort((a, b) => a.seq - b.seq)[0]?.time ?? null
}

/**
 * Reads ledger records, Trash and starts of one topology from `position` + 1, each exactly once and in order. A gap in the
 * deliveries or a lost connection ends the reader (`next` gives null): open another one from the position in Postgres.
 */
export async function openOutcomes(
  connection: Connection,
  topologyId: string,
  position: number,
  log: Log,
): Promise<OutcomeReader> {
  const info = await connection.jsm.consumers.add(streamName(topologyId), {
    filter_subjects: outcomeFilters(topologyId),
    ack_policy: AckPolicy.None,
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: position + 1,
    inactive_threshold: forgottenAfterNs,
    mem_storage: true,
    num_replicas: 1,
  })
  const buffer = new OutcomeBuffer(topologyId, log)
  const feed = startFeed(await connection.js.consumers.get(streamName(topologyId), info.name), buffer)
  const stopListening = connection.onChange(() => buffer.end())
  return {
    next: () => buffer.take(),
    async close() {
      stopListening()
      buffer.end()
      await feed.close()
      if (connection.connected)
        await connection.jsm.consumers.delete(streamName(topologyId), info.name).catch(() => undefined)
    },
  }
}

/** Fetches the next portion only when there is room for it. */
function startFeed(consumer: Consumer, buffer: OutcomeBuffer): { close(): Promise<void> } {
  let current: ConsumerMessages | null = null
  const isOver = (): boolean => buffer.ended
  const run = async (): Promise<void> => {
    while (!isOver()) {
      current = await consumer.fetch({ max_bytes: ahead.bytes, expires: fetchMs })
      // Whoever closed it while it was asked for had nothing to close, and would wait until it expires. It resolves for who reads it only.
      if (isOver()) return void current.close()
      try {
        for await (const message of current) buffer.push(message)
      } catch {
        // The server also ends a portion that is full with an error status: as long as the consumer is there, go on.
        await consumer.info()
      }
      await buffer.room()
    }
  }
  const running = run().catch(() => buffer.end())
  return {
    async close() {
      await current?.close()
      await running
    },
  }
}

class OutcomeBuffer {
  readonly #topologyId: string
  readonly #log: Log
  #waiting: JsMsg[] = []
  #bytes = 0
  #expected = 1
  #onArrival: (() => void) | null = null
  #onTaken: (() => void) | null = null
  ended = false

  constructor(topologyId: string, log: Log) {
    this.#topologyId = topologyId
    this.#log = log
  }

  push(message: JsMsg): void {
    if (message.info.deliverySequence !== this.#expected++) return this.end()
    this.#waiting.push(message)
    this.#bytes += message.data.length
    this.#onArrival?.()
  }

  end(): void {
    this.ended = true
    this.#onArrival?.()
    this.#onTaken?.()
  }

  async room(): Promise<void> {
    while (!this.ended && (this.#waiting.length >= ahead.messages || this.#bytes >= ahead.bytes)) {
      await new Promise<void>((resolve) => (this.#onTaken = resolve))
    }
  }

  async take(): Promise<{ outcomes: Outcome[]; to: number } | null> {
    if (this.#waiting.length === 0 && !this.ended) await new Promise<void>((resolve) => (this.#onArrival = resolve))
    const batch = this.#waiting
    const last = batch.at(-1)
    if (this.ended || last === undefined) return null
    this.#waiting = []
    this.#bytes = 0
    this.#onTaken?.()
    return { outcomes: batch.flatMap((message) => this.#read(message)), to: last.seq }
  }

  /** A record that can't be read must not stop all others: it is logged with its place, and stays in the stream. */
  #read(message: JsMsg): Outcome[] {
    try {
      const outcome = readOutcome(message, this.#topologyId)
      return outcome === null ? [] : [outcome]
    } catch (error) {
      this.#log.error('an outcome can not be read, it is skipped', {
        topology: this.#topologyId,
        sequence: message.seq,
        error: textOf(error),
      })
      return []
    }
  }
}

/** Null for what changes nothing: a message that is replayed before an event node was counted by its replay. */
function readOutcome(message: JsMsg, topologyId: string): Outcome | null {
  const tail = message.subject.slice(`sluice.${topologyId}.`.length).split('.')
  if (tail[1] === ledgerTail) return readRecord(message.json<LedgerRecord>())
  const header = message.headers?.get(envelopeHeader) ?? ''
  if (tail[1] === trashTail) return { ...(JSON.parse(header) as Omit<Trashed, 'body'>), body: message.data }
  return readInput(header, message, tail[2] ?? '')
}

const readRecord = (record: LedgerRecord): Outcome => (record.kind === 'started' ? { ...record, body: null } : record)

function readInput(header: string, message: JsMsg, nodeId: string): Started | Received | null {
  const start = decodeEnvelope(header, message.data)
  if (start.replay > 0) return null
  const { run, created: at } = start
  const chunk = message.headers?.get(chunkHeader) ?? ''
  if (chunk !== '') return { kind: 'received', run, nodeId, at, intake: (JSON.parse(chunk) as ChunkHead).intake }
  return {
    kind: 'started',
    run,
    nodeId,
    at,
    messages: 1,
    revision: null,
    tenant: start.tenant,
    contentType: start.contentType,
    headers: start.headers,
    ...(start.reconcile && { reconcile: true }),
    body: start.body,
  }
}
