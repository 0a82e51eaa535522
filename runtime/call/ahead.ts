import type { Socket } from 'node:net'
import { buildConnector } from 'undici'

type Connect = buildConnector.connector
type Options = buildConnector.Options

/**
 * The connections of one instance. A worker that closes them makes each call wait for a new one, and a permit of a limit is void sooner than
 * that may take (limiter/rules.ts). So when calls will be made in a moment (`expect`), connections are opened ahead: as many as calls
 * will want in the time that it takes to open one. Where they stay open, or are opened at once, none is.
 */
export class Connections {
  readonly #open: Connect
  /** The oldest first: who takes connections one after the other comes to them in this order. */
  readonly #spare = new Map<Socket, () => void>()
  #options: Options | null = null
  #opening = 0
  #isClosed = false
  /** One that was opened ahead has failed: none is until then. */
  #restUntil = -Infinity
  /** Averages: how long opening one takes, between two that are wanted, and which part of calls wants one. */
  #tookMs = 0
  #everyMs = longMs
  #part = 0
  #wanted = 0
  #wantedAt = -Infinity

  constructor(options: buildConnector.BuildOptions) {
    this.#open = buildConnector(options)
  }

  /** As undici asks for one. */
  readonly connect: Connect = (options, callback) => {
    const now = performance.now()
    this.#everyMs += (Math.min(now - this.#wantedAt, longMs) - this.#everyMs) / smoothing
    this.#wantedAt = now
    this.#wanted++
    this.#options = options
    const spare = this.#take()
    if (spare === undefined) this.#openOne(options, callback)
    // A client that asks isn't ready to go on before it has asked.
    else queueMicrotask(() => callback(null, spare))
  }

  /** A call was made, whatever came of it. */
  called(): void {
    this.#part += (Math.min(this.#wanted, 1) - this.#part) / smoothing
    this.#wanted = Math.max(0, this.#wanted - 1)
  }

  /** A call will be made in a moment. */
  expect(): void {
    if (this.#options === null || this.#isClosed || this.#tookMs < quickMs || this.#part < 0.5) return
    if (performance.now() < this.#restUntil) return
    const wanted = Math.min(spareMax, Math.ceil((1.5 * this.#tookMs) / this.#everyMs) + 1)
    while (this.#spare.size + this.#opening < wanted) this.#openSpare(this.#options)
  }

  close(): void {
    this.#isClosed = true
    for (const socket of this.#spare.keys()) socket.destroy()
  }

  #openOne(options: Options, callback: buildConnector.Callback): void {
    const begun = performance.now()
    this.#open(options, (...[error, socket]) => {
      const tookMs = performance.now() - begun
      if (error === null)
        this.#tookMs = this.#tookMs === 0 ? tookMs : this.#tookMs + (tookMs - this.#tookMs) / smoothing
      if (error === null) callback(null, socket)
      else callback(error, null)
    })
  }

  #openSpare(options: Options): void {
    this.#opening++
    this.#openOne(options, (_error, socket) => {
      this.#opening--
      if (socket !== null) this.#keep(socket)
      else this.#restUntil = performance.now() + restMs
    })
  }

  /** A worker with one process would wait for a request on it: so it isn't kept for long. */
  #keep(socket: Socket): void {
    if (this.#isClosed) return void socket.destroy()
    const timer = setTimeout(() => socket.destroy(), keptMs).unref()
    const gone = (): void => this.#release(socket)
    this.#spare.set(socket, () => {
      clearTimeout(timer)
      socket.off('close', gone)
    })
    socket.once('close', gone)
  }

  #release(socket: Socket): void {
    this.#spare.get(socket)?.()
    this.#spare.delete(socket)
  }

  /** Undefined: there is none. */
  #take(): Socket | undefined {
    for (const socket of this.#spare.keys()) {
      this.#release(socket)
      if (!socket.destroyed && socket.readable && socket.writable) return socket
    }
    return undefined
  }
}

/** What takes no longer needn't be done before. */
const quickMs = 5
const longMs = 5_000
const keptMs = 1_000
/** Who refuses a connection isn't asked for the next one by each call that waits. */
const restMs = 1_000
const spareMax = 20
const smoothing = 8
