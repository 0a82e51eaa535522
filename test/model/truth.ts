import { decodeEnvelope, envelopeHeader } from '../../runtime/queue/envelope.ts'
import { hopKey, originOf } from '../../runtime/queue/names.ts'
import type { HopIdentity } from '../../runtime/queue/names.ts'
import type { StoredReply } from '../../runtime/queue/reply.ts'
import type { LedgerRecord } from '../../runtime/queue/ledger.ts'
import type { Ended, Trashed } from '../../runtime/protocol/outcome.ts'
import type { Counters } from '../../runtime/store/tally/tally.ts'
import type { Stored } from './jetstream.ts'

export const counterNames = ['done', 'failed', 'discarded', 'cancelled', 'inProgress'] as const
const none: Counters = { done: 0, failed: 0, discarded: 0, cancelled: 0, inProgress: 0 }

/** Something that may be published below an origin, once. */
interface Slot {
  readonly what: string
  readonly run: string
  /** It need not come: a replay or a discard that nobody may ask for. */
  readonly optional: boolean
  readonly take: (stored: Stored, tail: string[]) => void
  takenAt: number | null
}

/** How the model says that a reply is split. */
export interface Script {
  readonly messages: readonly { readonly to: string; readonly index: number }[]
  readonly next: boolean
}

/**
 * The model: what the engine promises, said as simply as it can be. It reads along what is stored, as it is stored: each message is
 * a slot for one settlement, each settlement opens the slots that follow from it, and a slot is taken once.
 */
export class Truth {
  readonly broken: string[] = []
  readonly slots = new Map<string, Slot>()
  readonly #runs = new Map<string, Counters>()
  readonly #history: { seq: number; run: string; counters: Counters }[] = []
  /** What stands in a follower's queue: the sequence of the message that it came from, and its place among its sisters. */
  readonly #arrivals = new Map<string, [seq: number, index: number][]>()
  readonly scripts = new Map<string, Script>()

  readonly stored = (stored: Stored): void => {
    const [, , origin = '', ...tail] = stored.subject.split('.')
    const slot = this.slots.get(origin)
    if (tail[0] === 'event' && slot === undefined) return this.#started(stored, origin, tail[1] ?? '')
    const fired = stored.headers.has('Nats-Scheduler')
    if (slot === undefined) this.#break(`nobody may publish ${stored.subject}`)
    else if (stored.replaces !== null) return
    else if (slot.takenAt !== null && !fired)
      this.#break(`${slot.what} is published twice: at ${slot.takenAt} and ${stored.seq}`)
    else if (fired) this.slots.get(`fired ${origin}`)?.take(stored, tail)
    else {
      slot.takenAt = stored.seq
      slot.take(stored, tail)
      this.#notFinishedEarly(slot.run)
    }
  }

  /** I6: who reads the counters up to here must not think that the run is over while something of it is on its way. */
  #notFinishedEarly(run: string): void {
    if (this.countersAt(run, Infinity).inProgress > 0) return
    const open = this.open(run).filter((what) => !what.startsWith('the record of the replay'))
    if (open.length > 0) this.#break(`${run} looks finished while it has ${open.join(', ')}`)
  }

  /** The run's counters once everything up to that sequence is recorded. */
  countersAt(run: string, seq: number): Counters {
    const last = this.#history.findLast((entry) => entry.run === run && entry.seq <= seq)
    return last?.counters ?? none
  }

  runs(): string[] {
    return [...this.#runs.keys()]
  }

  /** Messages of the run that are on their way, or of all runs. */
  open(run?: string): string[] {
    return [...this.slots.values()]
      .filter((slot) => slot.takenAt === null && !slot.optional && (run === undefined || slot.run === run))
      .map(({ what }) => what)
  }

  #break(fact: string): void {
    this.broken.push(fact)
  }

  #count(seq: number, run: string, change: Partial<Counters>): void {
    const counters = { ...(this.#runs.get(run) ?? none) }
    for (const name of counterNames) counters[name] += change[name] ?? 0
    this.#runs.set(run, counters)
    this.#history.push({ seq, run, counters })
  }

  #slot(key: string, what: string, run: string, take: Slot['take'], optional = false): void {
    const origin = originOf(key)
    if (this.slots.has(origin)) this.#break(`${what} is due twice`)
    else this.slots.set(origin, { what, run, optional, take, takenAt: null })
  }

  #started(stored: Stored, origin: string, nodeId: string): void {
    const message = decodeEnvelope(stored.headers.get(envelopeHeader) ?? '', stored.data)
    const start = { what: 'a start', run: message.run, optional: false, take: () => undefined, takenAt: stored.seq }
    this.slots.set(origin, start)
    this.#count(stored.seq, message.run, { inProgress: 1 })
    this.#waits(message, nodeId, stored.seq)
  }

  /** A message is in a node's queue: its hop is due. */
  #waits(message: HopIdentity & { readonly run: string }, nodeId: string, seq: number): void {
    const key = hopKey(message, nodeId)
    const take: Slot['take'] = (stored, tail) => this.#settled(stored, tail, key, seq, nodeId)
    this.#slot(key, `the hop ${key}`, message.run, take)
  }

  #settled(stored: Stored, [kind = '', to = '']: string[], key: string, seq: number, nodeId: string): void {
    const header = stored.headers.get(envelopeHeader) ?? ''
    if (kind === 'node') {
      this.#arrived(nodeId, to, seq, 0)
      return this.#waits(decodeEnvelope(header, stored.data), to, stored.seq)
    }
    if (kind === 'reply') return this.#replied(JSON.parse(header) as StoredReply, key, seq, nodeId)
    if (kind === 'later') return this.#delayed(stored, header)
    if (kind === 'trash') return this.#failed(stored, JSON.parse(header) as Trashed)
    if (kind !== 'ledger') return this.#break(`${key} settles as ${kind}`)
    const record = recordIn(stored)
    if (record.kind === 'ended') this.#ended(stored, record)
    else this.#break(`${key} settles as ${record.kind}`)
  }

  #ended(stored: Stored, { run, cancelled }: Ended): void {
    this.#count(stored.seq, run, { inProgress: -1, [cancelled ? 'cancelled' : 'done']: 1 })
  }

  #delayed(schedule: Stored, header: string): void {
    const message = decodeEnvelope(header, schedule.data)
    const [, , origin] = schedule.subject.split('.')
    this.slots.set(`fired ${origin ?? ''}`, {
      what: `the end of the delay of ${message.id}`,
      run: message.run,
      optional: false,
      takenAt: null,
      take: (stored, tail) => {
        const due = this.slots.get(`fired ${origin ?? ''}`)
        if (due?.takenAt === null) {
          due.takenAt = stored.seq
          this.#waits(message, tail[1] ?? '', stored.seq)
        }
      },
    })
  }

  #failed(stored: Stored, { trashId, run, message, nodeId }: Trashed): void {
    this.#count(stored.seq, run, { inProgress: -1, failed: 1 })
    const key = `trash:${trashId}!${message.replay + 1}`
    const take: Slot['take'] = (action, [kind]) => {
      if (kind === 'ledger') return this.#count(action.seq, run, { failed: -1, discarded: 1 })
      const reply = JSON.parse(action.headers.get(envelopeHeader) ?? '') as StoredReply
      const again = (reply as { message: HopIdentity & { run: string } }).message
      const child: Slot['take'] = (input) => this.#waits(again, nodeId, input.seq)
      const record: Slot['take'] = (ledger) => {
        this.#count(ledger.seq, run, { failed: -1, inProgress: 1 })
        this.#slot(`${key}/0`, `the replay of ${trashId}`, run, child)
      }
      this.#slot(`${key}/ledger`, `the record of the replay of ${trashId}`, run, record)
    }
    this.#slot(key, `a replay or discard of ${trashId}`, run, take, true)
  }

  /** I3: the record first, then what follows from it. */
  #replied(reply: StoredReply, key: string, seq: number, nodeId: string): void {
    if (reply.kind !== 'outputs') return this.#break(`${key} settles as a replay`)
    const run = reply.input.run
    const script = this.scripts.get(reply.output.headers['x-script'] ?? '') ?? this.#everywhere(reply)
    const { messages } = script
    this.#slot(`${key}/ledger`, `the record of ${key}`, run, (record) => {
      const ended = recordIn(record)
      // A cancelled run's reply is not split.
      if (ended.kind === 'ended') return this.#ended(record, ended)
      this.#count(record.seq, run, { inProgress: messages.length - 1 + (script.next ? 1 : 0) })
      const next: Slot['take'] = (input) => this.#waits({ ...reply.input, ...nextPage(reply.input) }, nodeId, input.seq)
      if (script.next) this.#slot(`${key}/next`, `the next page of ${key}`, run, next)
      for (const [k, { to, index }] of messages.entries()) {
        this.#slot(`${key}/${k}`, `message ${k} of ${key}`, run, (child) => {
          const id = reply.paged ? `${reply.input.id}#${reply.input.page}.${index}` : `${reply.input.id}.${index}`
          this.#arrived(nodeId, to, seq, index)
          this.#waits({ id, run, page: 0, replay: 0, round: 0 }, to, child.seq)
        })
      }
    })
  }

  /** An event node's message goes to every follower. */
  #everywhere({ followers }: { readonly followers: readonly (readonly [string, string])[] }): Script {
    return { messages: followers.map(([, to], index) => ({ to, index })), next: false }
  }

  #arrived(from: string, to: string, seq: number, index: number): void {
    const edge = `${from} ${to}`
    this.#arrivals.set(edge, [...(this.#arrivals.get(edge) ?? []), [seq, index]])
  }

  /** I5: what came to `to` over the edge from the ordered node `from` stands in the order of what it came from. */
  checkOrder(from: string, to: string): void {
    let before: [number, number] = [0, 0]
    for (const [seq, index] of this.#arrivals.get(`${from} ${to}`) ?? []) {
      if (seq < before[0] || (seq === before[0] && index < before[1]))
        this.#break(`${from} → ${to}: output ${index} of ${seq} comes after output ${before[1]} of ${before[0]}`)
      before = [seq, index]
    }
  }
}

const recordIn = (stored: Stored): LedgerRecord => JSON.parse(Buffer.from(stored.data).toString()) as LedgerRecord

const nextPage = (input: HopIdentity): Pick<HopIdentity, 'page' | 'round' | 'replay'> => ({
  page: input.page + 1,
  round: 0,
  replay: 0,
})
