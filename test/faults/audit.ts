/**
 * Evidence: every message that was ever stored in the topology's stream, read by a durable consumer beside the engine's own, and so
 * before the janitor compacts it; what Postgres holds at the end; what the worker wrote down.
 */
import { readFileSync } from 'node:fs'
import { AckPolicy, DeliverPolicy } from '@nats-io/jetstream'
import type { JsMsg } from '@nats-io/jetstream'
import postgres from 'postgres'
import { textOf } from '../../runtime/errors.ts'
import type { Trashed } from '../../runtime/protocol/outcome.ts'
import { connectQueues } from '../../runtime/queue/connection.ts'
import { decodeEnvelope, envelopeHeader } from '../../runtime/queue/envelope.ts'
import type { LedgerRecord } from '../../runtime/queue/ledger.ts'
import { streamName } from '../../runtime/queue/names.ts'
import { decodeReply } from '../../runtime/queue/reply.ts'
import type { StoredReply } from '../../runtime/queue/reply.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { changeBy } from './check/stored.ts'
import type { RunRow, Stored, TrashRow } from './check/stored.ts'
import type { CallRecord } from './parts/worker.ts'

export interface Auditor {
  /** In the stream's order, each once. */
  stored(): Stored[]
  /** Sequence of the newest message that was read. */
  last(): number
  /** Runs that are over by the ledger: everything of them is done or in Trash. */
  finished(): number
  /** Ids of the runs that aren't. */
  unfinished(): string[]
  /** Name of the server that leads the stream; null when it isn't known or is a single one. */
  leader(): Promise<string | null>
  /** What the server says of each consumer that still has something to do. */
  waiting(): Promise<string[]>
  close(): Promise<void>
}

const consumer = 'auditor'
const pull = { max_messages: 1_000, expires: 10_000, idle_heartbeat: 2_000 }

/** Reads from the beginning, through every disconnect; sees what is redelivered only once. */
export async function openAuditor(url: string, topologyId: string): Promise<Auditor> {
  const connection = await connectQueues({ url, name: 'auditor', log: silentLog })
  const stream = streamName(topologyId)
  await connection.jsm.consumers.add(stream, {
    durable_name: consumer,
    // As the engine's own readers: the janitor leaves what isn't acked.
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.All,
    max_ack_pending: 100_000,
  })
  const stored = new Map<number, Stored>()
  let last = 0
  const inProgress = new Map<string, number>()
  const source = await connection.js.consumers.get(stream, consumer)
  const messages = await source.consume({
    ...pull,
    callback(message) {
      message.ack()
      if (stored.has(message.seq)) return
      const one = read(message)
      last = message.seq
      stored.set(message.seq, one)
      inProgress.set(one.run, (inProgress.get(one.run) ?? 0) + changeBy(one))
    },
  })
  return {
    stored: () => [...stored.values()].sort((a, b) => a.sequence - b.sequence),
    last: () => last,
    finished: () => [...inProgress.values()].filter((count) => count === 0).length,
    unfinished: () => [...inProgress].flatMap(([run, count]) => (count > 0 ? [run] : [])),
    leader: async () => (await connection.jsm.streams.info(stream).catch(() => null))?.cluster?.leader ?? null,
    async waiting() {
      const lines: string[] = []
      for await (const { name, num_pending, num_ack_pending, ack_floor, delivered } of connection.jsm.consumers.list(
        stream,
      )) {
        if (num_pending + num_ack_pending === 0) continue
        lines.push(
          `${name}: ${num_pending} pending, ${num_ack_pending} held, delivered ${delivered.stream_seq}, floor ${ack_floor.stream_seq}`,
        )
      }
      return lines
    },
    async close() {
      await messages.close()
      await connection.close()
    },
  }
}

function read(message: JsMsg): Stored {
  const [, , origin = '', kind = '', nodeId = '', ...lane] = message.subject.split('.')
  const header = message.headers?.get(envelopeHeader) ?? ''
  const isInput = kind === 'node' || kind === 'event'
  const reply = kind === 'reply' ? decodeReply(header) : null
  const input = isInput || kind === 'later' ? decodeEnvelope(header, new Uint8Array()) : null
  const asked = reply?.kind === 'outputs' ? reply.input : reply?.message
  const record = kind === 'ledger' ? message.json<LedgerRecord>() : null
  const trashed = kind === 'trash' ? (JSON.parse(header) as Omit<Trashed, 'body'>) : null
  return {
    sequence: message.seq,
    origin,
    kind: kind as Stored['kind'],
    nodeId,
    lane: lane.join('.'),
    isFired: (message.headers?.get('Nats-Scheduler') ?? '') !== '',
    message: isInput ? input : null,
    body: isInput ? message.string() : '',
    reply: reply === null ? null : seenOf(reply),
    record,
    isRemoved: trashed?.error.type === 'urn:sluice:node-removed',
    run: (input ?? asked ?? record ?? trashed)?.run ?? '',
  }
}

function seenOf(reply: StoredReply): Stored['reply'] {
  const { hopKey } = reply
  const next = reply.kind === 'outputs' && reply.next !== null
  return { hopKey, next, trashId: reply.kind === 'replay' ? reply.trashId : null }
}

/** Rows that the recorder wrote. Throws when Postgres is away. */
export async function rowsOf(url: string): Promise<{ runs: RunRow[]; trash: TrashRow[] }> {
  const client = postgres(url, { max: 1, connect_timeout: 5, onnotice: () => {} })
  try {
    const runs = await client<RunRow[]>`
      select id, state, done::int, failed::int, discarded::int, cancelled::int, in_progress::int as "inProgress"
      from runs`
    const trash = await client<TrashRow[]>`
      select id, state from trash`
    return { runs: [...runs], trash: [...trash] }
  } finally {
    await client.end({ timeout: 1 }).catch((error: unknown) => void textOf(error))
  }
}

/** The last line may be half written by a worker that was killed. */
export function callsIn(file: string): CallRecord[] {
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.flatMap((line) => {
    try {
      return line === '' ? [] : [JSON.parse(line) as CallRecord]
    } catch {
      return []
    }
  })
}
