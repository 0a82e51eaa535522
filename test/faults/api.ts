import { setTimeout as wait } from 'node:timers/promises'
import { textOf } from '../../runtime/errors.ts'

/** The API of whichever control answers. */
export interface Api {
  /**
   * Asks one control after the other until one answers, and not that something is away. So whatever is asked may have been done before;
   * `body` is null when the answer has none.
   */
  ask<T>(method: string, path: string, sending?: Sending): Promise<Answer<T>>
  /** What was answered last, of all that was refused or failed when it was asked last; for people. */
  refusals(): string[]
}

interface Sending {
  /** Sent as JSON; a text as it is. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** How long one control has for its answer. */
  readonly withinMs?: number
}

export interface Answer<T> {
  readonly status: number
  readonly body: T
}

const answerWithinMs = 3_000
const againAfterMs = 100

export function openApi(controls: readonly string[], token: string): Api {
  let turn = 0
  const refused = new Map<string, string>()
  const note = (what: string, said: string | null): void =>
    void (said === null ? refused.delete(what) : refused.set(what, said))
  return {
    refusals: () => [...refused].map(([what, said]) => `${what}: ${said}`),
    async ask<T>(method: string, path: string, { body, headers = {}, withinMs = answerWithinMs }: Sending = {}) {
      for (;;) {
        const url = `${controls[turn++ % controls.length]}${path}`
        const answer = await send(url, {
          method,
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
          ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
          signal: AbortSignal.timeout(withinMs),
        }).catch(textOf)
        const isText = typeof answer === 'string'
        const isRefusal = isText || answer.status >= 400
        note(`${method} ${path}`, isRefusal ? `${url}: ${isText ? answer : JSON.stringify(answer)}` : null)
        if (!isText && answer.status < 500) return answer as Answer<T>
        await wait(againAfterMs)
      }
    },
  }
}

/** An answer that is cut off is none. */
async function send(url: string, init: RequestInit): Promise<Answer<unknown>> {
  const response = await fetch(url, init)
  const text = await response.text()
  return { status: response.status, body: text === '' ? null : (JSON.parse(text) as unknown) }
}
