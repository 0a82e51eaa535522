import { setTimeout as wait } from 'node:timers/promises'
import { Conflict, Unavailable } from '../../../errors.ts'
import type { Intake, IntakeState } from '../../../protocol/intake.ts'
import type { Chunk } from '../../../protocol/records/chunks.ts'
import { withChunk } from '../../../queue/intake/uploads.ts'
import type { Upload } from '../../../queue/intake/slots.ts'
import { findRun } from '../../../store/queries/runs.ts'
import { noteSender } from '../../../store/queries/starts/receiving.ts'
import { getTopology } from '../../../store/queries/topologies.ts'
import type { Topology } from '../../../store/queries/topologies.ts'
import { HttpProblem } from '../../problem.ts'
import type { StartDeps } from '../starts.ts'
import { Gone } from './pieces.ts'
import type { Place } from './place.ts'

type Deps = StartDeps & { readonly place: Place }

/**
 * One sender of a body in chunks; see queue/intake/uploads.ts for how they are stored. Several may send the same at once, and one may
 * send what another began: what is stored already is compared, by the queue as long as it remembers, else by the digest in the run.
 *
 *   put: known to the run? compare its digest → else wait for room → open → fill the slot → filled before? compare what is in it
 */
export class UploadSession {
  /** How far this sender is. */
  intake: Intake
  readonly #deps: Deps
  readonly #topology: Topology
  #upload: Upload
  /** What the run knew when it was asked last; null: there was none. */
  #known: Intake | null = null
  #askedAt: number
  #isOpen = false
  readonly #signal: AbortSignal

  constructor(deps: Deps, topology: Topology, upload: Upload, resumable: boolean, signal: AbortSignal) {
    this.#deps = deps
    this.#topology = topology
    this.#upload = upload
    this.#signal = signal
    // A key that was made just now nobody has sent before.
    this.#askedAt = resumable ? -Infinity : performance.now()
    this.intake = { ...nothing, resumable, at: new Date().toISOString() }
  }

  get runId(): string {
    return this.#upload.run
  }

  /** Is anything stored of the body? */
  get isBegun(): boolean {
    return this.#isOpen || this.#known !== null
  }

  /** Is something under way with this key, or done? Throws `Conflict` where nobody can go on. */
  async isKnown(): Promise<boolean> {
    if (!this.intake.resumable) return false
    await this.#ask()
    return this.#known !== null || (await this.#findOpened())
  }

  /** The sender is there, though nothing may have come of him for long. Never rejects. */
  async giveSign(): Promise<void> {
    await noteSender(this.#deps.store, this.runId).catch(() => undefined)
  }

  /** Nothing of it was stored, and nothing will be. Never rejects. */
  leave(): Promise<void> {
    return this.#deps.place.leave()
  }

  /** Resolves when the chunk is stored, be it by somebody else. Waits while there is no room. Throws `Conflict`, `Gone`. */
  async put(chunk: Chunk): Promise<void> {
    const next = withChunk(this.intake, chunk, new Date().toISOString())
    while (!(await this.#isStored(next, chunk))) await this.#pause()
    this.intake = next
  }

  /** Resolves when no chunk can come any more. */
  async close(state: IntakeState, error: string | null): Promise<void> {
    const closing = { ...this.intake, state, error, at: new Date().toISOString() }
    while (!(await this.#isClosed(closing))) await this.#pause()
    this.intake = closing
  }

  async #isStored(next: Intake, chunk: Chunk): Promise<boolean> {
    const index = next.chunks - 1
    if (this.#isInRun(next)) return true
    return this.#whenPossible(async () => {
      await this.#admit(chunk.body.length)
      if (!(await this.#open())) return false
      if (this.#isInRun(next)) return true
      if ((await this.#deps.queues.uploads.put(this.#upload, chunk, next)) === 'accepted') return true
      const slot = await this.#deps.queues.uploads.slot(this.#upload, index)
      if (slot === null) return this.#forget()
      if (slot.kind === 'closed') throw closedBefore(slot.intake)
      if (Buffer.compare(slot.body, chunk.body) !== 0) throw another(index)
      return true
    })
  }

  async #isClosed(closing: Intake): Promise<boolean> {
    const { uploads } = this.#deps.queues
    if (this.#isClosedInRun(closing)) return true
    return this.#whenPossible(async () => {
      if (!(await this.#open())) return false
      if (this.#isClosedInRun(closing)) return true
      if ((await uploads.close(this.#upload, closing)) === 'accepted') return true
      const slot = await uploads.slot(this.#upload, closing.chunks)
      if (slot === null) return this.#forget()
      if (slot.kind === 'chunk') throw another(closing.chunks)
      return sameEnd(slot.intake, closing)
    })
  }

  /** Compares with what the run has; false: that doesn't reach so far. */
  #isInRun(next: Intake): boolean {
    const known = this.#known
    if (known === null || next.chunks > known.chunks) {
      if (known !== null && known.state !== 'receiving') throw closedBefore(known)
      return false
    }
    const isSame = next.chunks < known.chunks || next.digest === known.digest
    if (!isSame || next.head !== known.head) throw another(next.chunks - 1)
    return true
  }

  #isClosedInRun(closing: Intake): boolean {
    const known = this.#known
    if (known === null) return false
    if (closing.chunks < known.chunks) throw another(closing.chunks)
    return known.state !== 'receiving' && sameEnd(known, closing)
  }

  /** Opens it, or finds it opened, or not yet; when it was opened before, what is still to come goes on under the tenant and with the headers of then. */
  async #open(): Promise<boolean> {
    if (performance.now() - this.#askedAt > freshMs) await this.#ask()
    const { queues } = this.#deps
    if (this.#isOpen) {
      if (await queues.isCancelling(this.#upload.topologyId, this.runId)) throw closedBefore(cancelled)
      return true
    }
    // Nobody may have heard of this sender for so long that his place was given away.
    await this.#deps.place.hold()
    this.#isOpen = (await queues.uploads.open(this.#upload, { ...this.intake, ...fresh })) === 'accepted'
    return this.#isOpen || (await this.#findOpened()) || this.#forget()
  }

  async #findOpened(): Promise<boolean> {
    const opened = await this.#deps.queues.uploads.opened(this.#upload)
    if (opened === null) return false
    if (opened === 'other') throw notInChunks()
    const { tenant, headers, trace, reconcile = false } = opened
    this.#goOn({ tenant, headers, trace, reconcile })
    return true
  }

  #goOn(as: Pick<Upload, 'tenant' | 'headers' | 'trace' | 'reconcile'>): void {
    this.#upload = { ...this.#upload, ...as }
    this.#isOpen = true
  }

  /**
   * Asks the run how far it is. What the queue forgets is in the run long before, and for longer than `freshMs`: so what is neither in
   * the queue nor in a run that was asked since is stored nowhere. A sender without a key asks, too: what he sent may be stored although
   * nobody confirmed it to him, and be forgotten by the queue while he is held back.
   */
  async #ask(): Promise<void> {
    const run = await findRun(this.#deps.store, this.runId)
    this.#askedAt = performance.now()
    if (run === null || run.startState === 'receiving') return
    if (run.intake === null)
      throw run.startSeen ? notInChunks() : new Unavailable('recorder', 'the run is not recorded yet')
    this.#known = run.intake
    if (run.intake.state === 'cancelled' || run.intake.state === 'abandoned') throw closedBefore(run.intake)
    if (!this.#isOpen) {
      const { tenant, startHeaders: headers, startReconcile: reconcile } = run
      this.#goOn({ tenant, headers, trace: null, reconcile })
    }
  }

  /** What fills a slot isn't known any more: the run is asked next. */
  #forget(): false {
    this.#askedAt = -Infinity
    return false
  }

  async #admit(bytes: number): Promise<void> {
    await this.#deps.admission.admit(this.#topology, bytes)
  }

  /** Waits while there is no room, and while NATS or Postgres are away: the sender is held back by its connection. */
  async #whenPossible<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work()
      } catch (error) {
        const isFull = error instanceof HttpProblem && (error.status === 429 || error.status === 503)
        if (!isFull && !(error instanceof Unavailable)) throw error
        // What was under way may be stored all the same.
        if (error instanceof Unavailable) this.#forget()
      }
      await this.#pause()
      await this.#stillThere()
    }
  }

  /** Throws `Conflict`, `NotFound`: a topology that is deleted gets no more room. */
  async #stillThere(): Promise<void> {
    try {
      const { id, name } = await getTopology(this.#deps.store, this.#topology.id)
      if (id !== this.#topology.id) throw new Conflict(`the topology "${name}" is another one now`)
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error
    }
  }

  async #pause(): Promise<void> {
    try {
      await wait(holdMs, null, { signal: this.#signal })
    } catch (error) {
      throw new Gone('the connection broke', { cause: error })
    }
  }
}

/** How often a sender that is held back is looked after. */
const holdMs = 250
/** For so long what a run said is good: the queue keeps for ten minutes at least what is in the run. */
const freshMs = 60_000

const fresh = { chunks: 0, records: 0, trashed: 0, digest: '', head: null } as const
const nothing = { ...fresh, state: 'receiving', error: null } as const
const cancelled = { state: 'cancelled' } as const

/** True when both end in the same way; throws `Conflict` otherwise. */
function sameEnd(stored: Intake, closing: Intake): boolean {
  if (stored.state !== closing.state || stored.chunks !== closing.chunks) throw closedBefore(stored)
  if (stored.digest !== closing.digest || stored.error !== closing.error) throw another(closing.chunks)
  return true
}

function another(index: number): Conflict {
  return new Conflict(
    `the same key was sent with another body: they differ from chunk ${index} on; send the same body, or use another Idempotency-Key`,
  )
}

const ends: Readonly<Record<IntakeState, string>> = {
  receiving: 'is being received',
  complete: 'was received whole, and ended otherwise',
  broken: 'was broken off where nobody can go on',
  cancelled: 'was cancelled',
  abandoned: 'was given up since nothing came for three days',
}

function closedBefore({ state }: Pick<Intake, 'state'>): Conflict {
  return new Conflict(`what was sent with this key ${ends[state]}: use another Idempotency-Key to send it again`)
}

function notInChunks(): Conflict {
  return new Conflict('a start with this key was accepted as one message: use another Idempotency-Key')
}
