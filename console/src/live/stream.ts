import { eventKinds } from './kinds.ts'
import type { EventKind } from './kinds.ts'

/**
 * The one stream of events of this page. States: `off` (nobody listens), `connecting`, `live`, `reconnecting`, `resting` (the page is
 * hidden: browsers open only six connections to a server, and other tabs need theirs).
 */
export type StreamState = 'off' | 'connecting' | 'live' | 'reconnecting' | 'resting'

export interface Hearing {
  event(kind: EventKind, data: unknown): void
  /** Events may be missing: look at everything anew. */
  gap(): void
  /** After events had stayed away they come again, from where they broke off. */
  back(): void
  state(state: StreamState): void
  /** The engine refused: the login may have ended. */
  refused(): void
}

/** Of the document: whether it is seen. */
export interface Listener {
  readonly hidden: boolean
  addEventListener(kind: 'visibilitychange', heard: () => void): void
  removeEventListener(kind: 'visibilitychange', heard: () => void): void
}

const restAfterMs = 15_000
const againMinMs = 1_000
const againMaxMs = 30_000

/** Listens until the returned function is called. */
export function openStream(url: string, page: Listener, hearing: Hearing): () => void {
  let source: EventSource | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  let againMs = againMinMs
  /** Before the first connection and between two of ours events are lost; over what the browser takes up again by itself, none. */
  let isMissing = true

  const hangUp = (): void => {
    clearTimeout(timer)
    source?.close()
    source = null
  }
  const askAnew = (): void => {
    isMissing = false
    hearing.gap()
  }
  const connect = (state: 'connecting' | 'reconnecting'): void => {
    hangUp()
    hearing.state(state)
    source = new EventSource(url)
    source.addEventListener('open', () => {
      againMs = againMinMs
      hearing.state('live')
    })
    // The engine says `hello` (or `gap`) once it keeps the place from which it tells all: an answer may be open before.
    source.addEventListener('hello', () => (isMissing ? askAnew() : hearing.back()))
    source.addEventListener('gap', askAnew)
    source.addEventListener('error', () => broken())
    for (const kind of eventKinds) source.addEventListener(kind, (event) => hearing.event(kind, dataOf(event)))
  }
  const broken = (): void => {
    hearing.state('reconnecting')
    const isOver = source?.readyState === EventSource.CLOSED
    isMissing ||= isOver
    // The browser comes again by itself after a lost connection, but not after a refusal.
    if (!isOver) return
    hearing.refused()
    timer = setTimeout(() => connect('reconnecting'), againMs * (0.75 + Math.random() / 2))
    againMs = Math.min(againMaxMs, againMs * 2)
  }
  const onVisibility = (): void => {
    clearTimeout(timer)
    if (!page.hidden) {
      if (source === null) connect('reconnecting')
      return
    }
    timer = setTimeout(() => {
      hangUp()
      isMissing = true
      hearing.state('resting')
    }, restAfterMs)
  }
  page.addEventListener('visibilitychange', onVisibility)
  connect('connecting')
  return () => {
    page.removeEventListener('visibilitychange', onVisibility)
    hangUp()
    hearing.state('off')
  }
}

function dataOf(event: Event): unknown {
  if (!('data' in event)) throw new Error(`the event ${event.type} has no data`)
  return JSON.parse(String(event.data))
}
