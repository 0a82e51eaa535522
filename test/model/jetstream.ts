/**
 * What the engine relies on of JetStream, in memory and without a clock: the guard, direct gets, atomic batches, schedules,
 * durable consumers with their ack floor, purge of a prefix.
 */
export interface Stored {
  readonly seq: number
  readonly subject: string
  readonly headers: ReadonlyMap<string, string>
  readonly data: Uint8Array
  /** A schedule that was put where one stood already, which is gone. */
  readonly replaces: number | null
}

export type Published = { readonly seq: number } | { readonly refused: number }

export interface Handed {
  readonly message: Stored
  readonly deliveryCount: number
  /** The rest of the message's acknowledgement subject. */
  readonly token: string
}

interface Durable {
  readonly name: string
  filter: string
  maxAckPending: number
  /** Highest sequence that was delivered. */
  delivered: number
  /** Delivered and not acked: how often. */
  readonly pending: Map<number, number>
  readonly again: Set<number>
}

interface ConsumerState {
  readonly delivered: number
  readonly pending: readonly number[]
}

const wrongLastSequence = 10071
const schedule = 'Nats-Schedule'

export class MemoryStream {
  readonly name: string
  readonly created = '2026-01-01T00:00:00.000000000Z'
  readonly messages = new Map<number, Stored>()
  readonly durables = new Map<string, Durable>()
  firstSeq = 1
  lastSeq = 0
  onStored: (stored: Stored) => void = () => undefined
  readonly #staged = new Map<string, { subject: string; headers: Map<string, string>; data: Uint8Array }[]>()

  constructor(name: string) {
    this.name = name
  }

  /** Null: a part of a batch that isn't the last has no answer. */
  publish(subject: string, block: Uint8Array | null, data: Uint8Array): Published | null {
    const headers = readBlock(block)
    const batch = headers.get('Nats-Batch-Id')
    if (batch === undefined) return this.#accept([{ subject, headers, data }])
    const parts = this.#staged.get(batch) ?? []
    this.#staged.set(batch, parts)
    parts.push({ subject, headers, data })
    if (!headers.has('Nats-Batch-Commit')) return null
    this.#staged.delete(batch)
    return this.#accept(parts)
  }

  #accept(parts: { subject: string; headers: Map<string, string>; data: Uint8Array }[]): Published {
    for (const { subject, headers } of parts) {
      const expected = headers.get('Nats-Expected-Last-Subject-Sequence')
      const filter = headers.get('Nats-Expected-Last-Subject-Sequence-Subject') ?? subject
      if (expected !== undefined && (this.last(filter)?.seq ?? 0) !== Number(expected))
        return { refused: wrongLastSequence }
    }
    for (const { subject, headers, data } of parts) this.#store(subject, headers, data)
    return { seq: this.lastSeq }
  }

  #store(subject: string, headers: ReadonlyMap<string, string>, data: Uint8Array): void {
    const replaces = headers.has(schedule) ? (this.last(subject)?.seq ?? null) : null
    if (replaces !== null) this.messages.delete(replaces)
    const stored: Stored = { seq: ++this.lastSeq, subject, headers, data, replaces }
    this.messages.set(stored.seq, stored)
    this.onStored(stored)
  }

  last(filter: string): Stored | null {
    const matches = matcher(filter)
    for (let seq = this.lastSeq; seq >= this.firstSeq; seq--) {
      const stored = this.messages.get(seq)
      if (stored !== undefined && matches(stored.subject)) return stored
    }
    return null
  }

  next(from: number, filter: string): Stored | null {
    const matches = matcher(filter)
    for (let seq = Math.max(from, this.firstSeq); seq <= this.lastSeq; seq++) {
      const stored = this.messages.get(seq)
      if (stored !== undefined && matches(stored.subject)) return stored
    }
    return null
  }

  /** Removes everything below `seq`. */
  purge(seq: number): void {
    const upTo = Math.min(seq, this.lastSeq + 1)
    for (let at = this.firstSeq; at < upTo; at++) this.messages.delete(at)
    this.firstSeq = Math.max(this.firstSeq, upTo)
    for (const durable of this.durables.values()) {
      for (const at of [...durable.pending.keys()]) if (at < this.firstSeq) forget(durable, at)
      // What was given back waits for the end of its lease after all.
      durable.again.clear()
    }
  }

  delete(seq: number): void {
    this.messages.delete(seq)
    for (const durable of this.durables.values()) forget(durable, seq)
  }

  schedules(): Stored[] {
    return [...this.messages.values()].filter(({ headers }) => headers.has(schedule))
  }

  /** The delay of a schedule is over: the message goes to its target, and the schedule is gone. */
  fire(seq: number): void {
    const stored = this.messages.get(seq)
    const target = stored?.headers.get('Nats-Schedule-Target')
    if (stored === undefined || target === undefined) return
    const own = [...stored.headers].filter(([name]) => !name.startsWith('Nats-'))
    this.messages.delete(seq)
    this.#store(
      target,
      new Map([...own, ['Nats-Scheduler', stored.subject], ['Nats-Schedule-Next', 'purge']]),
      stored.data,
    )
  }

  ensure(name: string, filter: string, maxAckPending: number): void {
    const known = this.durables.get(name)
    if (known !== undefined) Object.assign(known, { filter, maxAckPending })
    else this.durables.set(name, { name, filter, maxAckPending, delivered: 0, pending: new Map(), again: new Set() })
  }

  /** Gives the next message of a consumer to somebody who pulls, if there is one. */
  deliver(name: string): Handed | null {
    const durable = this.#durable(name)
    const [again] = [...durable.again].sort((a, b) => a - b)
    if (again !== undefined) {
      durable.again.delete(again)
      return this.#hand(durable, again)
    }
    if (durable.pending.size >= durable.maxAckPending) return null
    const next = this.next(durable.delivered + 1, durable.filter)
    if (next === null) return null
    durable.delivered = next.seq
    return this.#hand(durable, next.seq)
  }

  #hand(durable: Durable, seq: number): Handed | null {
    const message = this.messages.get(seq)
    if (message === undefined) return null
    const deliveryCount = (durable.pending.get(seq) ?? 0) + 1
    durable.pending.set(seq, deliveryCount)
    return { message, deliveryCount, token: `${durable.name}.${seq}` }
  }

  /** Whoever had it, and however late. */
  ack(name: string, seq: number): void {
    forget(this.#durable(name), seq)
  }

  /** Not acked in time, or given back: somebody else shall have it. Nothing for a message that isn't pending. */
  again(name: string, seq: number): void {
    const durable = this.#durable(name)
    if (durable.pending.has(seq)) durable.again.add(seq)
  }

  /** Highest sequence up to which everything is acked, as the server counts it. */
  ackFloor(name: string): number {
    const { pending, delivered } = this.#durable(name)
    return pending.size === 0 ? delivered : Math.min(...pending.keys()) - 1
  }

  consumerState(name: string): ConsumerState {
    const { delivered, pending } = this.#durable(name)
    return { delivered, pending: [...pending.keys()] }
  }

  /** The server forgot what consumers did since then: acks roll back, delivery counts start again, all is delivered at once. */
  restore(name: string, state: ConsumerState): void {
    const durable = this.#durable(name)
    durable.delivered = Math.max(state.delivered, this.firstSeq - 1)
    durable.pending.clear()
    durable.again.clear()
    for (const seq of state.pending) {
      if (!this.messages.has(seq)) continue
      durable.pending.set(seq, 0)
      durable.again.add(seq)
    }
  }

  #durable(name: string): Durable {
    const durable = this.durables.get(name)
    if (durable === undefined) throw new Error(`no consumer ${name}`)
    return durable
  }
}

function forget(durable: Durable, seq: number): void {
  durable.pending.delete(seq)
  durable.again.delete(seq)
}

function readBlock(block: Uint8Array | null): Map<string, string> {
  const lines = block === null ? [] : Buffer.from(block).toString('utf8').split('\r\n').slice(1, -2)
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]))
}

/** Filters have one `*` at most, in the place of the origin, and `>` only at the end. */
function matcher(filter: string): (subject: string) => boolean {
  const [prefix = '', after] = filter.split('*')
  const rest = after ?? ''
  const open = filter.endsWith('>')
  const tail = open ? rest.slice(0, -1) : rest
  if (after === undefined) {
    const head = open ? prefix.slice(0, -1) : prefix
    return (subject) => (open ? subject.startsWith(head) : subject === head)
  }
  return (subject) => {
    if (!subject.startsWith(prefix)) return false
    const end = subject.indexOf('.', prefix.length)
    if (end < 0) return false
    return open ? subject.startsWith(tail, end) : subject.length === end + tail.length && subject.endsWith(tail)
  }
}
