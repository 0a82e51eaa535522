import type { Dispatcher, Pool } from 'undici'
import { textOf } from '../../errors.ts'
import type { Probed } from './breaker.ts'

const timeoutMs = 2_000
/** The body says nothing that the status doesn't: what is longer than this is cut off with its connection. */
const bodyMaxBytes = 16 * 1024

/**
 * Asks an instance for its health: `GET <path>`, at most 2 s. Never rejects. Redirects are not followed, and like any other
 * 4xx (a router's, a gateway's) they say that nobody answers for the worker's health there.
 */
export function askHealth(pool: Pool, path: string): Promise<Probed> {
  return new Promise((resolve) => {
    pool.dispatch({ method: 'GET', path, headers: ['accept', '*/*'] }, new Question(resolve))
  })
}

/** States: connecting → sent → status known → ended or cut off. Exactly one answer comes out, the first that is known. */
class Question implements Dispatcher.DispatchHandler {
  readonly #resolve: (probed: Probed) => void
  readonly #timer: NodeJS.Timeout
  #controller: Dispatcher.DispatchController | null = null
  #size = 0
  #isOver = false

  constructor(resolve: (probed: Probed) => void) {
    this.#resolve = resolve
    this.#timer = setTimeout(() => this.#giveUp(), timeoutMs)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#isOver) controller.abort(new Error('given up'))
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    if (status >= 200) this.#resolve(meaningOf(status))
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#size += chunk.length
    if (this.#size > bodyMaxBytes) this.#giveUp()
  }

  onResponseEnd(): void {
    clearTimeout(this.#timer)
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    clearTimeout(this.#timer)
    const why = textOf(error) || (error as { readonly code?: string }).code || 'connection refused'
    this.#resolve(
      this.#controller === null ? { kind: 'refused', why } : { kind: 'bad', why: `/healthz has no answer: ${why}` },
    )
  }

  /** Too late or too long; what was known before stays. */
  #giveUp(): void {
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#resolve(
      this.#controller === null
        ? { kind: 'refused', why: `no connection within ${timeoutMs} ms` }
        : { kind: 'bad', why: `/healthz has no answer within ${timeoutMs} ms` },
    )
    this.#controller?.abort(new Error('given up'))
  }
}

function meaningOf(status: number): Probed {
  if (status < 300) return { kind: 'good' }
  const isAbout = status === 408 || status === 425 || status === 429 || (status >= 500 && status !== 501)
  return isAbout ? { kind: 'bad', why: `/healthz answers ${status}` } : { kind: 'absent' }
}
