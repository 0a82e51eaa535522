import type { Client } from 'openapi-fetch'
import { Unavailable } from '../errors.ts'
import type { paths } from './openapi.d.ts'
import { statusOf } from './problem.ts'

export interface Watching {
  /** Id or name of the only topology that counts. */
  readonly topology?: string | undefined
  /** Only these, as docs/api.md lists them. */
  readonly kinds?: readonly string[] | undefined
  /** Id of the last event that was read: what came after it comes again. */
  readonly after?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** `hello` and `gap` tell of the connection, all others of the engine. */
export interface EngineEvent {
  readonly id: string
  readonly kind: string
  readonly data: Readonly<Record<string, unknown>>
}

const againMs = 1_000

/** Throws what the first connection is refused with; one that breaks later is taken up again after the last event that was read. */
export async function* readEvents(client: Client<paths>, watching: Watching): AsyncGenerator<EngineEvent> {
  const isOver = (): boolean => watching.signal?.aborted === true
  for (let after = watching.after, isFirst = true; !isOver(); isFirst = false) {
    try {
      for await (const event of connection(client, { ...watching, after })) {
        after = event.id
        isFirst = false
        yield event
      }
    } catch (error) {
      if (isOver()) return
      if (isFirst || !isPassing(error)) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, againMs))
  }
}

/** A connection that breaks is an error of fetch; of what the engine answers only 503 passes. */
function isPassing(error: unknown): boolean {
  const status = statusOf(error)
  return status === null ? error instanceof Unavailable || error instanceof TypeError : status === 503
}

async function* connection(client: Client<paths>, watching: Watching): AsyncGenerator<EngineEvent> {
  const { topology, kinds, after, signal } = watching
  const { data } = await client.GET('/api/events', {
    params: {
      query: { ...(topology !== undefined && { topology }), ...(kinds && { kinds: kinds.join(',') }) },
      header: { ...(after !== undefined && { 'last-event-id': after }) },
    },
    headers: { accept: 'text/event-stream' },
    parseAs: 'stream',
    ...(signal && { signal }),
  })
  if (data) yield* parse(data.pipeThrough(new TextDecoderStream()))
}

/** Reads `id`, `event` and `data` of each block (WHATWG server-sent events); comments are beats and tell nothing. */
async function* parse(stream: ReadableStream<string>): AsyncGenerator<EngineEvent> {
  let rest = ''
  for await (const chunk of iterated(stream)) {
    const blocks = (rest + chunk).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const event = eventOf(block)
      if (event !== null) yield event
    }
  }
}

function eventOf(block: string): EngineEvent | null {
  const lines = block.split('\n').map((line) => /^(id|event|data): ?(.*)$/.exec(line))
  const fields = new Map(lines.map((line) => [line?.[1], line?.[2]]))
  const [id, kind, data] = [fields.get('id'), fields.get('event'), fields.get('data')]
  if (id === undefined || kind === undefined) return null
  return { id, kind, data: JSON.parse(data ?? '{}') as EngineEvent['data'] }
}

/** Not every runtime has streams that can be iterated. */
async function* iterated(stream: ReadableStream<string>): AsyncGenerator<string> {
  const reader = stream.getReader()
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value
  } finally {
    await reader.cancel()
  }
}
