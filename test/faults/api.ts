import { setTimeout as wait } from 'node:timers/promises'

/** The API of whichever control answers. */
export interface Api {
  /**
   * Asks one control after the other until one answers, and not that something is away. So whatever is asked may have been done before;
   * `body` is null when the answer has none.
   */
  ask<T>(method: string, path: string, sending?: Sending): Promise<Answer<T>>
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
  return {
    async ask<T>(method: string, path: string, { body, headers = {}, withinMs = answerWithinMs }: Sending = {}) {
      for (;;) {
        const url = `${controls[turn++ % controls.length]}${path}`
        const answer = await send(url, {
          method,
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
          ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
          signal: AbortSignal.timeout(withinMs),
        }).catch(() => null)
        if (answer !== null && answer.status < 500) return answer as Answer<T>
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
