/**
 * The one stream of events of this page. States: `off` (nobody listens), `connecting`, `live`, `reconnecting`, `resting` (the page is
 * hidden: browsers open only six connections to a server, and other tabs need theirs).
 */
export type StreamState = 'off' | 'connecting' | 'live' | 'reconnecting' | 'resting'

export const eventKinds = ['plan', 'pause', 'worker', 'breaker', 'run', 'trash', 'queue'] as const
export type EventKind = (typeof eventKinds)[number]

export interface Hearing {
  event(kind: EventKind, data: unknown): void
  /** Events may be missing: look at everything anew. */
  gap(): void
  state(state: StreamState): void
  /** The engine refused: the login may have ended. */
  refused(): void
}

const restAfterMs = 15_000
const againMinMs = 1_000
const againMaxMs = 30_000

/** Listens until the returned function is called. */
export function openStream(url: string, hearing: Hearing): () => void {
  let source: EventSource | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  let againMs = againMinMs
  /** Between two connections of ours events are lost; over what the browser takes up again by itself, none. */
  let isMissing = false
  let wasOpen = false

  const hangUp = (): void => {
    clearTimeout(timer)
    source?.close()
    source = null
  }
  const connect = (): void => {
    hangUp()
    hearing.state(isMissing ? 'reconnecting' : 'connecting')
    source = new EventSource(url)
    source.addEventListener('open', () => {
      if (isMissing) hearing.gap()
      isMissing = false
      wasOpen = true
      againMs = againMinMs
      hearing.state('live')
    })
    source.addEventListener('gap', () => hearing.gap())
    source.addEventListener('error', () => broken())
    for (const kind of eventKinds)
      source.addEventListener(kind, (event) => hearing.event(kind, JSON.parse(String(event.data))))
  }
  const broken = (): void => {
    hearing.state('reconnecting')
    const isOver = source?.readyState === EventSource.CLOSED
    isMissing ||= isOver || !wasOpen
    // The browser comes again by itself after a lost connection, but not after a refusal.
    if (!isOver) return
    hearing.refused()
    timer = setTimeout(connect, againMs * (0.75 + Math.random() / 2))
    againMs = Math.min(againMaxMs, againMs * 2)
  }
  const onVisibility = (): void => {
    clearTimeout(timer)
    if (!document.hidden) {
      if (source === null) connect()
      return
    }
    timer = setTimeout(() => {
      hangUp()
      isMissing = true
      hearing.state('resting')
    }, restAfterMs)
  }
  document.addEventListener('visibilitychange', onVisibility)
  connect()
  return () => {
    document.removeEventListener('visibilitychange', onVisibility)
    hangUp()
    hearing.state('off')
  }
}
