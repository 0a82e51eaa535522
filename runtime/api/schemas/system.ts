import { z } from '@hono/zod-openapi'
import { time } from './common.ts'

const count = z.int()

const queue = z
  .object({
    topology: z.string(),
    topologyId: z.string(),
    node: z.string(),
    nodeId: z.string(),
    pending: count.openapi({ description: 'Messages that no bridge holds' }),
    inFlight: count.openapi({ description: 'Messages that bridges hold' }),
    replies: count.openapi({ description: 'Stored replies that are not split into messages yet' }),
    paused: z.boolean().nullable(),
    pausedReason: z.string().nullable(),
    pausedBy: z.enum(['node', 'topology']).nullable(),
  })
  .openapi('Queue')

export const queueList = z.object({ items: z.array(queue) }).openapi('QueueList')

export const status = z
  .object({
    version: z.string(),
    nats: z.object({
      connected: z.boolean(),
      detail: z.string().nullable(),
      version: z.string().nullable(),
      streams: count.nullable(),
      bytes: z.number().nullable(),
    }),
    postgres: z.object({ connected: z.boolean(), detail: z.string().nullable() }),
    bridges: z.array(
      z.object({ id: z.string(), host: z.string(), pid: z.int(), startedAt: time, rssBytes: z.number() }),
    ),
    topologies: z.array(
      z.object({ id: z.string(), name: z.string(), revision: z.int(), enabled: z.boolean(), openTrash: count }),
    ),
  })
  .openapi('Status')

export const health = z.object({ status: z.literal('ok') }).openapi('Health')

export const readiness = z
  .object({ status: z.enum(['ready', 'not ready']), reasons: z.array(z.string()) })
  .openapi('Readiness')
