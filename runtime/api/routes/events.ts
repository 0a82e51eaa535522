import type { HttpBindings } from '@hono/node-server'
import { createRoute, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { streamSSE } from 'hono/streaming'
import type { SSEStreamingApi } from 'hono/streaming'
import { eventKinds } from '../../queue/events.ts'
import type { Numbered } from '../../queue/events.ts'
import { openVisits } from '../access/visits.ts'
import type { Visits } from '../access/visits.ts'
import { openQueueWatch } from '../actions/look/queue-watch.ts'
import type { QueueChange, QueueWatch } from '../actions/look/queue-watch.ts'
import { needs } from '../auth.ts'
import type { Api, ApiDeps, ApiEnv, Caller } from '../deps.ts'
import { topologyParam } from '../schemas/common.ts'
import * as schemas from '../schemas/events.ts'
import { HttpProblem } from '../problem.ts'
import { topologyOf } from './topologies.ts'

const tags = ['Events']
/** Those of the log, and what is only told while somebody listens. */
const kindsThere = [...eventKinds, 'queue'] as const
/** Proxies close what is silent for a minute. */
const silentMs = 15_000
const readersMax = 500

const kinds = z
  .string()
  .max(200)
  .transform((text) => text.split(','))
  .pipe(z.array(z.enum(kindsThere, `a kind is one of ${kindsThere.join(', ')}`)))
  .openapi({ type: 'string', description: `Only these, with commas: ${kindsThere.join(', ')}`, example: 'run,trash' })

const headers = z.object({
  'last-event-id': z
    .string()
    .max(100)
    .optional()
    .openapi({ description: 'Id of the last event that was read: what came after it comes again' }),
})

const description =
  'Server-sent events. Each carries `id`, `event` (its kind) and `data` (JSON). The first one is `hello`; `gap` instead says that events may be missing, so look at everything anew. Events are hints to look again, kept for an hour: with `Last-Event-ID` a broken connection goes on where it was. `queue` events have no id and are not kept: how full queues are is told anew to who comes, of every topology that is published (`whole`), and then when it changes, at most once a second for a topology. The answer ends within seconds when the token or the login that it was asked with does.'

const responses = { 200: { description: 'For as long as you listen', content: schemas.eventStream } }

const all = createRoute({
  ...needs('read'),
  operationId: 'watchEvents',
  tags,
  summary: 'Watch what happens',
  description,
  method: 'get',
  path: '/api/events',
  request: {
    headers,
    query: z.object({
      topology: z.string().max(200).optional().openapi({ description: 'Id or name' }),
      kinds: kinds.optional(),
    }),
  },
  responses,
  'x-problems': [404],
})

const ofTopology = createRoute({
  ...needs('read'),
  operationId: 'watchTopologyEvents',
  tags,
  summary: 'Watch what happens in a topology',
  description,
  method: 'get',
  path: '/api/topologies/{topology}/events',
  request: { headers, params: topologyParam, query: z.object({ kinds: kinds.optional() }) },
  responses,
})

export function eventRoutes(app: Api, deps: ApiDeps): void {
  const readers = { open: 0 }
  const watch = openQueueWatch(deps)
  const visits = openVisits(deps)
  const answer = (c: Context<ApiEnv>, topologyId: string | null, kinds: readonly string[] | undefined): Response => {
    if (readers.open >= readersMax)
      throw new HttpProblem(503, `${readersMax} others are watching this control already`, { 'retry-after': '10' })
    const after = c.req.header('last-event-id') ?? null
    readers.open++
    const what = { caller: c.get('caller'), after, topologyId, kinds, hangUp: () => hangUp(c) }
    return streamSSE(c, (stream) => follow(deps, { watch, visits }, stream, what).finally(() => readers.open--))
  }
  app.openapi(all, async (c) => {
    const { topology, kinds } = c.req.valid('query')
    const found = topology === undefined ? null : await topologyOf(deps, c.get('caller'), topology)
    return answer(c, found?.id ?? null, kinds)
  })
  app.openapi(ofTopology, async (c) => {
    const { id } = await topologyOf(deps, c.get('caller'), c.req.valid('param').topology)
    return answer(c, id, c.req.valid('query').kinds)
  })
}

interface Wanted {
  readonly caller: Caller
  readonly after: string | null
  readonly topologyId: string | null
  readonly kinds: readonly string[] | undefined
  /** Closes the connection of a client that doesn't read. */
  readonly hangUp: () => void
}

/** What was written for a client that doesn't read, it would wait for without an end. */
function hangUp({ env }: Context<ApiEnv>): void {
  const { outgoing } = (env ?? {}) as Partial<HttpBindings>
  if (outgoing?.writableNeedDrain) outgoing.destroy()
}

async function follow(
  { events, log }: ApiDeps,
  { watch, visits }: { readonly watch: QueueWatch; readonly visits: Visits },
  stream: SSEStreamingApi,
  what: Wanted,
): Promise<void> {
  const gone = new AbortController()
  stream.onAbort(() => gone.abort())
  const forget = visits.join(what.caller, () => {
    stream.abort()
    what.hangUp()
  })
  const isQueueWanted = what.kinds?.includes('queue') ?? true
  let leave: () => void = () => undefined
  // Who doesn't read is told nothing more, though what was written is still under way.
  gone.signal.addEventListener('abort', () => leave())
  const beat = setInterval(() => void stream.write(': still here\n\n'), silentMs)
  try {
    for await (const numbered of events.read({ ...what, signal: gone.signal })) {
      // Who looks at everything anew forgets how full queues are, too: what changed before is told before, or not at all.
      if (numbered.event === null) leave()
      if (isWanted(numbered, what.kinds)) await stream.writeSSE(shown(numbered))
      if (numbered.event === null && isQueueWanted && !gone.signal.aborted) leave = joinQueues(watch, what, stream)
    }
  } catch (error) {
    // The watcher comes again with its last id, and meets NATS in order or the reason why not.
    log.warn('events can not be read', { error: error instanceof Error ? error.message : String(error) })
  } finally {
    clearInterval(beat)
    forget()
    leave()
  }
}

/** Until the returned function is called: nothing that waited is written after that. */
function joinQueues(watch: QueueWatch, { topologyId }: Wanted, stream: SSEStreamingApi): () => void {
  const writer = queueWriter(stream)
  const leave = watch.join(topologyId, (change) => writer.hear(change))
  return () => {
    leave()
    writer.stop()
  }
}

/** Who reads slowly hears only of the newest state. Once it is stopped, what waits is dropped. */
export function queueWriter(stream: Pick<SSEStreamingApi, 'writeSSE'>) {
  const waiting = new Map<string, QueueChange>()
  let isWriting = false
  const write = async (): Promise<void> => {
    isWriting = true
    for (const [topologyId, change] of waiting) {
      waiting.delete(topologyId)
      await stream.writeSSE({ event: 'queue', data: JSON.stringify(change) })
    }
    // At once: what is heard after the last look at what waits has to be written anew.
    isWriting = false
  }
  return {
    hear(change: QueueChange): void {
      const before = waiting.get(change.topologyId)
      waiting.set(change.topologyId, { ...before, ...change, nodes: { ...before?.nodes, ...change.nodes } })
      if (!isWriting) void write()
    },
    stop: () => waiting.clear(),
  }
}

function isWanted({ event }: Numbered, kinds: readonly string[] | undefined): boolean {
  return event === null || kinds === undefined || kinds.includes(event.kind)
}

function shown({ id, event, gap }: Numbered): { id: string; event: string; data: string } {
  if (event === null) return { id, event: gap ? 'gap' : 'hello', data: '{}' }
  const { kind, ...data } = event
  return { id, event: kind, data: JSON.stringify(data) }
}
