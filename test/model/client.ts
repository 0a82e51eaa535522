import { JetStreamApiError } from '@nats-io/jetstream'
import type { ConsumerInfo, JetStreamClient, JsMsg, StoredMsg } from '@nats-io/jetstream'
import { headers as newHeaders } from '@nats-io/transport-node'
import type { Msg, MsgHdrs } from '@nats-io/transport-node'
import type { Connection } from '../../runtime/queue/connection.ts'
import { PublishRefused } from '../../runtime/queue/publish/publisher.ts'
import type { Publisher } from '../../runtime/queue/publish/publisher.ts'
import type { Handed, MemoryStream, Stored } from './jetstream.ts'

/** What the engine uses of the NATS client, over a `MemoryStream`: each request is an effect of its process. */

/** The process that asks; see process.ts. */
interface Requester {
  readonly stream: MemoryStream
  effects: object[]
  readonly pulls: Map<string, (message: JsMsg) => void>
  readonly listeners: Set<(connected: boolean) => void>
  effect<T>(
    kind: 'publish' | 'look' | 'purge' | 'fetch',
    label: string,
    doing: (choice: number) => T | Promise<T>,
    enabled?: () => boolean,
  ): Promise<T>
  send(label: string, doing: () => void): void
}

interface Query {
  readonly seq: number
  readonly next_by_subj?: string
}

interface ConsumerConfig {
  readonly ack_policy?: string
  readonly durable_name?: string
  readonly filter_subject: string
  readonly max_ack_pending: number
  readonly filter_subjects?: readonly string[]
  readonly opt_start_seq: number
}

/** A consumer that is gone with its reader. */
interface Passing {
  readonly filters: readonly string[]
  next: number
  delivered: number
}

const noMessage = { code: 404, err_code: 10037, description: 'no message found' }
const now = '2026-06-01T00:00:00Z'

export function publisherOf(process: Requester): Publisher {
  const { stream } = process
  return {
    publish: (subject, headers, body) =>
      process.effect('publish', subject, () => {
        const answer = stream.publish(subject, bytesOf(headers), body)
        if (answer !== null && 'refused' in answer) throw new PublishRefused(answer.refused, 'wrong last sequence')
        return answer?.seq ?? 0
      }),
    request: (subject, body) => process.effect('look', subject, () => look(stream, subject, body)),
    // The parts of a batch go out with its last one.
    send: (subject, headers, body) => void stream.publish(subject, bytesOf(headers), body),
    close: () => undefined,
  }
}

function look(stream: MemoryStream, subject: string, body: Uint8Array): Msg {
  if (subject.startsWith('$JS.API.STREAM.INFO.'))
    return { json: () => ({ state: { first_seq: stream.firstSeq, last_seq: stream.lastSeq } }) } as unknown as Msg
  const direct = `$JS.API.DIRECT.GET.${stream.name}`
  const found = subject.startsWith(`${direct}.`)
    ? stream.last(subject.slice(direct.length + 1))
    : stream.messages.get((JSON.parse(Buffer.from(body).toString()) as Query).seq)
  if (subject.startsWith(direct)) {
    const headers = { code: found ? 0 : 404, get: () => found?.subject ?? '' }
    return { headers, data: found?.data } as unknown as Msg
  }
  return { json: () => (found ? { message: { seq: found.seq } } : { error: noMessage }) } as unknown as Msg
}

export function messageOf(process: Requester, consumer: string, { message, deliveryCount, token }: Handed): JsMsg {
  const { stream } = process
  return {
    ...readable(message),
    reply: `$JS.ACK.${stream.name}.${token}`,
    info: { deliveryCount, timestampNanos: Date.now() * 1e6 },
    ack: () => process.send(`ack ${consumer} ${message.seq}`, () => stream.ack(consumer, message.seq)),
    nak: () => process.send(`nak ${consumer} ${message.seq}`, () => stream.again(consumer, message.seq)),
  } as unknown as JsMsg
}

export function connectionOf(process: Requester): Connection {
  const { listeners } = process
  const passing = new Map<string, Passing>()
  return {
    jsm: {
      streams: streamsOf(process),
      consumers: consumersOf(process, passing),
      direct: { getMessage: (_: string, query: Query) => direct(process, query) },
    },
    nc: { request: () => listed(process) },
    js: {
      consumers: {
        get: (_: string, name: string) =>
          Promise.resolve(passing.has(name) ? passingOf(process, passing.get(name)) : durableOf(process, name)),
      },
      publish: (...one: Parameters<JetStreamClient['publish']>) => publishOnce(process, ...one),
    },
    connected: true,
    onChange: (listener: (connected: boolean) => void) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    whenConnected: () => Promise.resolve(),
  } as unknown as Connection
}

function streamsOf(process: Requester): unknown {
  const { stream } = process
  return {
    info: () => process.effect('look', 'stream info', () => streamInfo(stream)),
    purge: (_: string, { seq }: { seq: number }) => process.effect('purge', `purge ${seq}`, () => stream.purge(seq)),
    deleteMessage: (_: string, seq: number) => process.effect('purge', `delete ${seq}`, () => stream.delete(seq)),
    getMessage: (_: string, query: Query) =>
      process.effect('look', `message ${JSON.stringify(query)}`, () => {
        const found = find(stream, query)
        return found && storedMsg(found)
      }),
  }
}

/** The answer to a request for the list of all consumers. */
function listed(process: Requester): Promise<{ json(): unknown }> {
  const { stream } = process
  return process.effect('look', 'consumer list', () => {
    const consumers = [...stream.durables.keys()].map((name) => infoOf(stream, name))
    return { json: () => ({ total: consumers.length, consumers }) }
  })
}

function consumersOf(process: Requester, passing: Map<string, Passing>): unknown {
  const { stream } = process
  const ensure = (name: string, config: ConsumerConfig): Promise<void> =>
    Promise.resolve(stream.ensure(name, config.filter_subject, config.max_ack_pending))
  return {
    info: (_: string, name: string) => process.effect('look', `consumer ${name}`, () => infoOf(stream, name)),
    update: (_: string, name: string, config: ConsumerConfig) => ensure(name, config),
    add: async (_: string, config: ConsumerConfig) => {
      // One that acks nothing only counts: nobody is given anything by it.
      if (config.durable_name !== undefined && config.ack_policy === 'none') return { name: config.durable_name }
      if (config.durable_name !== undefined) return ensure(config.durable_name, config)
      const name = `passing ${passing.size}`
      passing.set(name, { filters: config.filter_subjects ?? ['sluice.>'], next: config.opt_start_seq, delivered: 0 })
      return { name }
    },
    delete: (_: string, name: string) => Promise.resolve(passing.delete(name)),
  }
}

/** Whether a node's replies are split is answered when they are: how often it is asked shows nothing. */
function direct(process: Requester, query: Query): Promise<Stored | null> {
  const { stream } = process
  const replies = [...stream.durables.values()].find((one) => one.filter === query.next_by_subj)
  if (replies === undefined) return process.effect('look', JSON.stringify(query), () => find(stream, query))
  const left = (): Stored | null => stream.next(stream.ackFloor(replies.name) + 1, replies.filter)
  return process.effect('look', `all of ${replies.name} is split`, left, () => left() === null)
}

/** As the client publishes by itself: without a guard of ours, on a condition about its own subject. */
function publishOnce(
  process: Requester,
  ...[subject, data, options]: Parameters<JetStreamClient['publish']>
): Promise<{ seq: number }> {
  return process.effect('publish', subject, () => {
    const headers = (options?.headers?.keys() ?? []).map((name) => `${name}: ${options?.headers?.get(name) ?? ''}\r\n`)
    const expected = `Nats-Expected-Last-Subject-Sequence: ${options?.expect?.lastSubjectSequence ?? 0}\r\n`
    const block = Buffer.from(`NATS/1.0\r\n${headers.join('')}${expected}\r\n`)
    const answer = process.stream.publish(subject, block, data as Uint8Array)
    if (answer !== null && 'seq' in answer) return answer
    throw new JetStreamApiError({ code: 400, err_code: answer?.refused ?? 0, description: 'wrong last sequence' })
  })
}

function durableOf(process: Requester, name: string): unknown {
  return {
    info: () => Promise.resolve(infoOf(process.stream, name)),
    consume: ({ callback }: { callback: (message: JsMsg) => void }) => {
      process.pulls.set(name, callback)
      return Promise.resolve({ close: () => Promise.resolve(), status: neverLost })
    },
  }
}

function passingOf(process: Requester, passing: Passing | undefined): unknown {
  const fetch = (options: { readonly max_messages?: number }): unknown => {
    if (passing === undefined) throw new Error('no consumer')
    return options.max_messages === undefined ? someOutcomes(process, passing) : allMessages(process, passing)
  }
  return {
    info: () => Promise.resolve({}),
    fetch: (options: { readonly max_messages?: number }) => Promise.resolve(fetch(options)),
  }
}

async function* neverLost(): AsyncGenerator<never> {
  yield await new Promise<never>(() => undefined)
}

/** One portion of at most five outcomes: as many as the test says. */
function someOutcomes(process: Requester, passing: Passing): AsyncIterable<JsMsg> & { close(): Promise<void> } {
  const { stream } = process
  const first = (): Stored | null => {
    const found = passing.filters.map((filter) => stream.next(passing.next, filter)?.seq ?? Infinity)
    return stream.messages.get(Math.min(...found)) ?? null
  }
  const take = (choice: number): JsMsg[] => {
    const taken: JsMsg[] = []
    for (let next = first(); next !== null && taken.length <= choice % 5; next = first()) {
      passing.next = next.seq + 1
      taken.push({ ...readable(next), info: { deliverySequence: ++passing.delivered } } as unknown as JsMsg)
    }
    return taken
  }
  let end = (): void => undefined
  const ended = new Promise<JsMsg[]>((resolve) => (end = () => resolve([])))
  const portion = process.effect('fetch', `outcomes from ${passing.next}`, take, () => first() !== null)
  const mine = process.effects.at(-1)
  return {
    async *[Symbol.asyncIterator]() {
      yield* await Promise.race([portion, ended])
    },
    close: () => {
      process.effects = process.effects.filter((effect) => effect !== mine)
      return Promise.resolve(end())
    },
  }
}

/** All that there is from there on, at once. */
async function* allMessages(process: Requester, passing: Passing): AsyncGenerator<JsMsg> {
  const all = await process.effect('look', `messages from ${passing.next}`, () =>
    [...process.stream.messages.values()].filter(({ seq }) => seq >= passing.next),
  )
  for (const [n, one] of all.entries()) {
    passing.next = one.seq + 1
    yield { ...readable(one), info: { pending: all.length - n - 1 } } as unknown as JsMsg
  }
}

/** The engine's header blocks are encoded once; see envelope.ts. */
function bytesOf(headers: MsgHdrs | null): Uint8Array | null {
  return headers === null ? null : (headers as unknown as { encode(): Uint8Array }).encode()
}

function find(stream: MemoryStream, { seq, next_by_subj: filter }: Query): Stored | null {
  return filter === undefined ? (stream.messages.get(seq) ?? null) : stream.next(seq, filter)
}

function readable({ seq, subject, headers, data }: Stored): Partial<JsMsg> {
  return {
    seq,
    subject,
    data,
    headers: { get: (name: string) => headers.get(name) ?? '' },
    json: () => JSON.parse(Buffer.from(data).toString()) as unknown,
  } as unknown as Partial<JsMsg>
}

function storedMsg({ seq, subject, headers, data }: Stored): StoredMsg {
  const header = newHeaders()
  for (const [name, value] of headers) header.set(name, value)
  return { seq, subject, header, data, time: new Date(now), string: () => Buffer.from(data).toString() } as StoredMsg
}

function streamInfo({ created, firstSeq, lastSeq, messages }: MemoryStream): unknown {
  const state = { first_seq: firstSeq, last_seq: lastSeq, messages: messages.size, bytes: messages.size, first_ts: now }
  return { config: { name: 'model', subjects: ['sluice.model.>'], num_replicas: 1 }, created, ts: now, state }
}

function infoOf(stream: MemoryStream, name: string): ConsumerInfo {
  const durable = stream.durables.get(name)
  if (durable === undefined)
    throw new JetStreamApiError({ code: 404, err_code: 10014, description: 'consumer not found' })
  return {
    name,
    created: stream.created,
    ts: now,
    config: {
      durable_name: name,
      ack_policy: 'explicit',
      filter_subject: durable.filter,
      max_ack_pending: durable.maxAckPending,
    },
    delivered: { consumer_seq: durable.delivered, stream_seq: durable.delivered },
    ack_floor: { consumer_seq: 0, stream_seq: stream.ackFloor(name) },
    num_pending: 0,
    num_ack_pending: durable.pending.size,
  } as unknown as ConsumerInfo
}
