import type { Dispatcher } from 'undici'
import { textOf } from '../errors.ts'
import type { CallResult } from './decide.ts'
import type { Instance, Instances } from './instances.ts'

const replyMaxBytes = 8 * 1024 * 1024

export interface Request {
  /** Path of the node at the worker. */
  readonly path: string
  /** Name, value, name, value, … */
  readonly headers: string[]
  readonly body: Uint8Array
  readonly timeoutMs: number
}

export interface Called {
  readonly result: CallResult
  /** Null when no instance was there to call. */
  readonly instance: string | null
  readonly durationMs: number
}

/**
 * Calls a worker once. While nothing was sent, other instances are tried in turn; once a request went out its result stands.
 * Never rejects: whatever happens is a `CallResult`. An aborted signal (shutdown) counts as a lost connection.
 */
export async function callWorker(instances: Instances | null, request: Request, signal: AbortSignal): Promise<Called> {
  const startedAt = performance.now()
  const tried = new Set<Instance>()
  let detail = 'the worker has no instance: register its address'
  for (;;) {
    const picked = instances?.pick(tried) ?? null
    if (instances === null || picked === null) return { result: { kind: 'refused', detail }, ...nobody(startedAt) }
    if ('retryAt' in picked) return { result: allDown(picked.retryAt), ...nobody(startedAt) }
    picked.inFlight++
    const outcome = await dispatch(picked, request, signal)
    picked.inFlight--
    if (outcome.kind === 'refused') {
      instances.refused(picked)
      tried.add(picked)
      detail = `${picked.url}: ${outcome.detail ?? 'connection refused'}`
      continue
    }
    instances.answered(picked)
    return { result: outcome, instance: picked.url, durationMs: performance.now() - startedAt }
  }
}

function nobody(startedAt: number): { instance: null; durationMs: number } {
  return { instance: null, durationMs: performance.now() - startedAt }
}

function allDown(retryAt: number): CallResult {
  return {
    kind: 'refused',
    retryAtMs: Date.now() + retryAt - performance.now(),
    detail: 'all instances of the worker are down',
  }
}

/** One HTTP exchange on one instance, through undici's lowest level: no request object, no stream, no promise chain. */
function dispatch(instance: Instance, request: Request, signal: AbortSignal): Promise<CallResult> {
  return new Promise((resolve) => {
    const exchange = new Exchange(request.timeoutMs, signal, resolve)
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

/** States: waiting for a connection → sent → answering → done. Exactly one `CallResult` comes out, whatever undici reports. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #resolve: (result: CallResult) => void
  readonly #timer: NodeJS.Timeout
  readonly #signal: AbortSignal
  readonly #onAbort = (): void => this.#giveUp({ kind: 'lost' })
  #controller: Dispatcher.DispatchController | null = null
  #status = 0
  #headers: Record<string, string> = {}
  #chunks: Buffer[] = []
  #size = 0
  #done = false

  constructor(timeoutMs: number, signal: AbortSignal, resolve: (result: CallResult) => void) {
    this.#resolve = resolve
    this.#signal = signal
    this.#timer = setTimeout(
      () => this.#giveUp(this.#controller === null ? noConnection : { kind: 'timeout' }),
      timeoutMs,
    )
    signal.addEventListener('abort', this.#onAbort)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#done) controller.abort(new Error('given up'))
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
    return this.#controller === null ? { kind: 'refused', detail: textOf(error) || code } : { kind: 'lost' }
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
