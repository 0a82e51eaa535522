import { AckPolicy } from '@nats-io/jetstream'
import type { JsMsg } from '@nats-io/jetstream'
import type { MsgHdrs } from '@nats-io/transport-node'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { newId } from '../../runtime/ids.ts'
import { guardHeaders, headerBlock } from '../../runtime/queue/envelope.ts'
import { originFilter, streamName } from '../../runtime/queue/names.ts'
import { PublishRefused } from '../../runtime/queue/publish/publisher.ts'
import { startEngine } from '../support/engine.ts'
import type { TestEngine } from '../support/engine.ts'
import { MemoryStream } from './jetstream.ts'

/** What a stream and its durable consumer `c` of all nodes' inputs can be asked to do, in memory and on a server. */
interface Stream {
  /** The sequence, or the code of the refusal. */
  publish(subject: string, headers: MsgHdrs): Promise<number>
  stage(subject: string, headers: MsgHdrs): void
  last(filter: string): Promise<number | null>
  next(from: number, filter: string): Promise<number | null>
  purge(seq: number): Promise<void>
  delete(seq: number): Promise<void>
  /** Only called when there is one. */
  deliver(): Promise<number>
  ack(seq: number): Promise<void>
  again(seq: number): Promise<void>
  floor(): Promise<number>
}

const maxAckPending = 3
const body = Buffer.from('x')

function inMemory(stream: MemoryStream, filter: string): Stream {
  stream.ensure('c', filter, maxAckPending)
  const bytesOf = (headers: MsgHdrs): Uint8Array => (headers as unknown as { encode(): Uint8Array }).encode()
  return {
    publish: async (subject, headers) => {
      const answer = stream.publish(subject, bytesOf(headers), body)
      return answer === null ? 0 : 'seq' in answer ? answer.seq : answer.refused
    },
    stage: (subject, headers) => void stream.publish(subject, bytesOf(headers), body),
    last: async (of) => stream.last(of)?.seq ?? null,
    next: async (from, of) => stream.next(from, of)?.seq ?? null,
    purge: async (seq) => stream.purge(seq),
    delete: async (seq) => stream.delete(seq),
    deliver: async () => stream.deliver('c')?.message.seq ?? 0,
    ack: async (seq) => stream.ack('c', seq),
    again: async (seq) => stream.again('c', seq),
    floor: async () => stream.next(stream.ackFloor('c') + 1, filter)?.seq ?? 0,
  }
}

async function onServer({ queues }: TestEngine, name: string, filter: string): Promise<Stream> {
  const { jsm, js } = queues.connection
  const config = { durable_name: 'c', filter_subject: filter, max_ack_pending: maxAckPending }
  await jsm.consumers.add(name, { ...config, ack_policy: AckPolicy.Explicit, ack_wait: 600_000_000_000 })
  const consumer = await js.consumers.get(name, 'c')
  const held = new Map<number, JsMsg>()
  const find = async (query: { last_by_subj: string } | { seq: number; next_by_subj: string }) =>
    (await jsm.streams.getMessage(name, query))?.seq ?? null
  const next: Stream['next'] = (seq, next_by_subj) => find({ seq, next_by_subj })
  return {
    publish: (subject, headers) =>
      queues.publisher.publish(subject, headers, body).catch((error: unknown) => {
        if (error instanceof PublishRefused) return error.code
        throw error
      }),
    stage: (subject, headers) => queues.publisher.send(subject, headers, body),
    last: (last_by_subj) => find({ last_by_subj }),
    next,
    purge: async (seq) => void (await jsm.streams.purge(name, { seq })),
    delete: async (seq) => void (await jsm.streams.deleteMessage(name, seq, false)),
    async deliver() {
      const message = await consumer.next({ expires: 1_000 })
      if (message !== null) held.set(message.seq, message)
      return message?.seq ?? 0
    },
    ack: async (seq) => void (await held.get(seq)?.ackAck()),
    again: async (seq) => held.get(seq)?.nak(),
    floor: async () => (await next((await jsm.consumers.info(name, 'c')).ack_floor.stream_seq + 1, filter)) ?? 0,
  }
}

const operations = ['input', 'ledger', 'later', 'own', 'batch', 'deliver', 'ack', 'again', 'purge', 'delete'] as const
const operation = fc.record({ what: fc.constantFrom(...operations), n: fc.nat(9), m: fc.nat(99) })
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never

/** Does it to the stream; resolves with all that can be seen of it. `model` says what is there to be acked. */
async function perform(
  stream: Stream,
  topologyId: string,
  model: MemoryStream,
  { what, n, m }: Operation,
): Promise<unknown> {
  const at = (origin: number, tail: string): string => `sluice.${topologyId}.o${origin}.${tail}`
  const guarded = (origin: number, ...more: [string, string][]): MsgHdrs =>
    headerBlock([...guardHeaders(originFilter(topologyId, `o${origin}`)), ...more])
  const durable = model.durables.get('c')
  const pending = [...(durable?.pending.keys() ?? [])].filter((seq) => !durable?.again.has(seq))
  const chosen = pending[m % Math.max(1, pending.length)] ?? 0
  switch (what) {
    case 'input':
      return stream.publish(at(n, 'node.a.0.0'), guarded(n))
    case 'ledger':
      return stream.publish(at(n, 'ledger'), guarded(n))
    case 'later':
      return stream.publish(
        at(n, 'later'),
        guarded(n, ['Nats-Schedule', '@at 2100-01-01T00:00:00Z'], ['Nats-Schedule-Target', at(n, 'node.a.0.0')]),
      )
    case 'own':
      return stream.publish(at(n, 'cron'), headerBlock([['Nats-Expected-Last-Subject-Sequence', String(m % 4)]]))
    case 'batch': {
      const id = newId()
      const part = (k: number): [string, string][] => [
        ['Nats-Batch-Id', id],
        ['Nats-Batch-Sequence', String(k + 1)],
      ]
      for (const k of [0, 1]) stream.stage(at((n + k) % 10, 'node.a.0.0'), guarded((n + k) % 10, ...part(k)))
      return stream.publish(at((n + 2) % 10, 'ledger'), guarded((n + 2) % 10, ...part(2), ['Nats-Batch-Commit', '1']))
    }
    case 'deliver':
      return canDeliver(model, originFilterOfInputs(topologyId)) ? stream.deliver() : 'none'
    case 'ack':
      return chosen > 0 && stream.ack(chosen)
    case 'again':
      return chosen > 0 && stream.again(chosen)
    case 'purge':
      return stream.purge(Math.min(1 + (m % 12), model.lastSeq + 1))
    case 'delete':
      return model.messages.has(m % 12) && stream.delete(m % 12)
  }
}

const originFilterOfInputs = (topologyId: string): string => `sluice.${topologyId}.*.node.>`

function canDeliver(model: MemoryStream, filter: string): boolean {
  const durable = model.durables.get('c')
  if (durable === undefined) return false
  if (durable.again.size > 0) return true
  return durable.pending.size < maxAckPending && model.next(durable.delivered + 1, filter) !== null
}

test('the stream in memory does what a server does', { timeout: 60_000 }, async () => {
  const engine = await startEngine([{ name: 'a' }])
  onTestFinished(() => engine.close())
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 40, size: 'max' }), async (all) => {
      const topologyId = newId()
      await engine.queues.control.ensure({ ...engine.plan, topologyId, nodes: [] })
      const [memory, filter] = [new MemoryStream(streamName(topologyId)), originFilterOfInputs(topologyId)]
      const [ours, theirs] = [inMemory(memory, filter), await onServer(engine, memory.name, filter)]
      for (const one of all) {
        const seen = await perform(theirs, topologyId, memory, one)
        expect(await perform(ours, topologyId, memory, one), JSON.stringify(one)).toEqual(seen)
        for (const look of looks(topologyId, one, filter))
          expect(await look(ours), JSON.stringify(one)).toEqual(await look(theirs))
      }
      await engine.queues.control.destroy(topologyId)
    }),
    { numRuns: 25, seed: Number(process.env.MODEL_SEED ?? 1) },
  )
})

/** What both must answer the same way after an operation. */
function looks(topologyId: string, { n, m }: Operation, filter: string): ((stream: Stream) => Promise<unknown>)[] {
  return [
    (stream) => stream.last(`sluice.${topologyId}.o${n}.>`),
    (stream) => stream.next(m % 12, filter),
    (stream) => stream.next(1, `sluice.${topologyId}.*.ledger`),
    (stream) => stream.floor(),
  ]
}
