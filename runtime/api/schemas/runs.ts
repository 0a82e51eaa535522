import { z } from '@hono/zod-openapi'
import { runStates } from '../../store/schema/index.ts'
import { pageOf } from '../paging.ts'
import { messageHeaders, text, time } from './common.ts'

export const tenant = text(200).min(1)
export const startKey = text(500).min(1)

export const runRequest = z
  .strictObject({
    node: z.string().max(200).optional().openapi({ description: 'Id or name; default: the only start node' }),
    body: z.unknown().optional().openapi({ description: 'Any JSON; left out: an empty message' }),
    headers: messageHeaders.optional(),
    tenant: tenant.optional(),
    key: startKey.optional().openapi({ description: 'Equal keys mean the same run' }),
  })
  .openapi('RunRequest')

export const accepted = z.object({ runId: z.string() }).openapi('Accepted')

const count = z.int()

export const run = z
  .object({
    id: z.string(),
    topology: z.string(),
    topologyId: z.string(),
    node: z.string(),
    nodeId: z.string(),
    tenant: z.string().nullable(),
    state: z.enum(runStates),
    startedAt: time,
    finishedAt: time.nullable(),
    durationMs: z.int().openapi({ description: 'From its start to its end, or until now' }),
    cancelRequestedAt: time.nullable(),
    revision: z.int().nullable(),
    rerunOf: z.string().nullable().openapi({ description: 'Id of the run that it repeats' }),
    messages: z
      .object({ total: count, done: count, failed: count, discarded: count, cancelled: count, inProgress: count })
      .openapi({ description: '`total` is the sum of the others' }),
  })
  .openapi('Run')

export const rerunRequest = z
  .strictObject({
    node: z.string().min(1).max(200).optional().openapi({
      description: 'Id or name of the node at which it begins, with what entered that node; left out: at its start',
    }),
  })
  .openapi('RerunRequest')

export const cancelled = z
  .object({
    state: z.enum(['cancelling', 'cancelled']),
    note: z.string().nullable().openapi({ description: 'Why it may take long' }),
  })
  .openapi('Cancelled')

export const runPage = pageOf('Run', run)
