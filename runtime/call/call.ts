import { errors } from 'undici'
import type { Dispatcher } from 'undici'
import { textOf } from '../errors.ts'
import { waitFor } from './breaker/line.ts'
import type { Wait } from './breaker/line.ts'
import type { CallResult } from './decide.ts'
import type { Instance, Instances, Slot } from './instances.ts'

const replyMaxBytes = 8 * 1024 * 1024

export interface Request {
  /** Path of the node at the worker. */
  readonly path: string
  /** Name, value, name, value, … */
  readonly headers: string[]
  readonly body: Uint8Array
  readonly timeoutMs: number
}

export interface Calling {
  /** Id of the message. */
  readonly message: string
  /** To be called alone; see `Instances`. */
  readonly isSuspect: boolean
  /** Asked after a wait for an instance: made just before it is sent, since it carries the time. */
  readonly request: () => Request
  /** How it waits for an instance. */
  readonly wait: Wait
  /** Whether the call may still be made: asked after the wait, and again when there is a connection, right before the first byte is sent. */
  readonly mayCall: () => boolean
  /** Whether a suspect may be called after all, since it waits for an instance of its own for long: asked while it has one. */
  readonly renew?: () => Promise<boolean>
  /** Gives up the open call, when it aborts: it counts as lost, and nobody is blamed. */
  readonly cut: AbortSignal
}

export interface Called {
  readonly result: CallResult
  /** Null when no instance was there to call. */
  readonly instance: string | null
  /** Of the call itself, without waits. */
  readonly durationMs: number
}

/**
 * Calls a worker once, when it is the message's turn. While nothing was sent, other instances are tried; once a request went
 * out its result stands. `unusable` says why there are no instances. Rejects with `Stopped` only; whatever else happens is a `CallResult`.
 */
export async function callWorker(
  instances: Instances | null,
  calling: Calling,
  unusable: string | null = null,
): Promise<Called> {
  if (instances === null || instances.isEmpty) return notCalled({ kind: 'refused', detail: unusable ?? noInstance })
  const { message, isSuspect, cut } = calling
  let detail = 'no instance of the worker takes calls now'
  const turn = (signal: AbortSignal) => instances.turn(isSuspect, signal)
  let slot = instances.take(isSuspect) ?? (await waitFor(calling.wait, turn))
  while (slot !== null) {
    if (!calling.mayCall() && !(await renewed(instances, slot, calling))) return held(tooLate.detail)
    const { instance, begunAt } = slot
    const result = await dispatch(instance, calling, cut)
    instances.done(slot, cut.aborted ? null : result, message)
    if (result.kind === 'held') return held(result.detail)
    if (result.kind !== 'refused') {
      return { result, instance: instance.url, durationMs: performance.now() - begunAt }
    }
    detail = `${instance.url}: ${result.detail ?? 'connection refused'}`
    slot = instances.take(isSuspect)
  }
  return held(detail)
}

/** False: the slot is given back. */
async function renewed(instances: Instances, slot: Slot, { isSuspect, renew, message }: Calling): Promise<boolean> {
  let is = false
  try {
    is = isSuspect && renew !== undefined && (await renew())
    return is
  } finally {
    if (!is) instances.done(slot, null, message)
  }
}

const noInstance = 'the worker has no instance: register its address'

/** Nothing was called: a breaker is open, or the node may not call any more. */
export function held(detail: string): Called {
  return notCalled({ kind: 'held', detail })
}

/** Nothing was called: its turn comes later, and it needn't wait here. */
export function putOff(delayMs: number): Called {
  return notCalled({ kind: 'put-off', delayMs })
}

function notCalled(result: CallResult): Called {
  return { result, instance: null, durationMs: 0 }
}

/** One HTTP exchange on one instance, through undici's lowest level: no request object, no stream, no promise chain. */
function dispatch(instance: Instance, { request: make, mayCall }: Calling, signal: AbortSignal): Promise<CallResult> {
  const request = make()
  return new Promise((resolve) => {
    const exchange = new Exchange({ timeoutMs: request.timeoutMs, mayCall, signal }, resolve)
    instance.pool.dispatch(
      {
        method: 'POST',
        path: instance.basePath + request.path,
        headers: request.headers,
        body: request.body,
      },
      exchange,
    )
  })
}

interface Terms {
  readonly timeoutMs: number
  readonly mayCall: () => boolean
  readonly signal: AbortSignal
}

const tooLate = { kind: 'held', detail: 'the node may not call any more' } as const satisfies CallResult

/** States: waiting for a connection → sent → answering → done. Exactly one `CallResult` comes out, whatever undici reports. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #resolve: (result: CallResult) => void
  readonly #mayCall: () => boolean
  readonly #timer: NodeJS.Timeout
  readonly #signal: AbortSignal
  readonly #onAbort = (): void => this.#giveUp({ kind: 'lost' })
  #controller: Dispatcher.DispatchController | null = null
  #status = 0
  #headers: Record<string, string> = {}
  #chunks: Buffer[] = []
  #size = 0
  #done = false

  constructor({ timeoutMs, mayCall, signal }: Terms, resolve: (result: CallResult) => void) {
    this.#resolve = resolve
    this.#mayCall = mayCall
    this.#signal = signal
    this.#timer = setTimeout(
      () => this.#giveUp(this.#controller === null ? noConnection : { kind: 'timeout' }),
      timeoutMs,
    )
    signal.addEventListener('abort', this.#onAbort)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#done) return controller.abort(new Error('given up'))
    if (this.#mayCall()) return
    this.#finish(tooLate)
    // What is thrown here ends the request before anything of it is sent, and leaves the connection to the next one; `abort` would close it.
    throw new Error('nothing is sent')
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    // Informational responses (103 and the like) come before the real one.
    if (status < 200) return
    this.#status = status
    this.#headers = flatten(headers)
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#size += chunk.length
    if (this.#size > replyMaxBytes) this.#giveUp({ kind: 'too-large' })
    else this.#chunks.push(chunk)
  }

  onResponseEnd(): void {
    const [first] = this.#chunks
    const body = this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks, this.#size)
    this.#finish({ kind: 'reply', status: this.#status, headers: this.#headers, body })
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#finish(this.#resultOf(error))
  }

  #resultOf(error: Error): CallResult {
    const code = (error as { readonly code?: string }).code ?? ''
    if (code === 'UND_ERR_HEADERS_OVERFLOW') return { kind: 'too-large' }
    // Without a started request no byte was sent: the worker can't have done anything.
    if (this.#controller === null) return { kind: 'refused', detail: textOf(error) || code }
    if (this.#status !== 0) return { kind: 'bad-reply', detail: `the reply with status ${this.#status} was cut off` }
    return error instanceof errors.HTTPParserError ? { kind: 'bad-reply', detail: textOf(error) } : { kind: 'lost' }
  }

  #giveUp(result: CallResult): void {
    this.#finish(result)
    this.#controller?.abort(new Error('given up'))
  }

  #finish(result: CallResult): void {
    if (this.#done) return
    this.#done = true
    clearTimeout(this.#timer)
    this.#signal.removeEventListener('abort', this.#onAbort)
    this.#resolve(result)
  }
}

const noConnection: CallResult = { kind: 'refused', detail: 'no connection within the call time-out' }

function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const flat: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = typeof value === 'string' ? value : value.join(', ')
  }
  return flat
}
