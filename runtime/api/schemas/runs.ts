import { z } from '@hono/zod-openapi'
import { intakeStates } from '../../protocol/intake.ts'
import { runStates } from '../../store/schema/index.ts'
import { pageOf } from '../input/paging.ts'
import { messageHeaders, text, time } from './common.ts'

export const tenant = text(200).min(1)
export const force = z.enum(['true', 'false']).openapi({
  description: 'true: begin although another run is going on, whatever the overlap policy of the node',
})
const reconciling =
  'Read everything again: no batch node is handed a watermark. What the run proposes is committed as always'
export const reconcile = z.enum(['true', 'false']).openapi({ description: `true: ${reconciling}` })
export const startKey = text(500).min(1)

export const runRequest = z
  .strictObject({
    node: z.string().max(200).optional().openapi({ description: 'Id or name; default: the only start node' }),
    body: z.unknown().optional().openapi({ description: 'Any JSON; left out: an empty message' }),
    headers: messageHeaders.optional(),
    tenant: tenant.optional(),
    reconcile: z.boolean().optional().openapi({ description: reconciling }),
    key: startKey.optional().openapi({ description: 'Equal keys mean the same run' }),
    force: z
      .boolean()
      .optional()
      .openapi({ description: 'Begin although another run is going on, whatever the overlap policy of the node' }),
  })
  .openapi('RunRequest')

const count = z.int()

export const accepted = z
  .object({
    runId: z.string(),
    records: count.optional().openapi({ description: 'With `split=records`: messages that the body gave' }),
    trashed: count.optional().openapi({ description: 'With `split=records`: what was no record, and is in Trash' }),
  })
  .openapi('Accepted')

const intake = z
  .object({
    state: z.enum(intakeStates).openapi({ description: '`receiving`: there is more to come' }),
    resumable: z.boolean().openapi({ description: 'The same body with the same key goes on where it broke off' }),
    records: count,
    trashed: count.openapi({ description: 'What was no record' }),
    error: z.string().nullable().openapi({ description: 'Why it is `broken`' }),
    at: time.openapi({ description: 'When something came last, or its sender was last seen' }),
  })
  .openapi('Intake')

export const run = z
  .object({
    id: z.string(),
    topology: z.string(),
    topologyId: z.string(),
    node: z.string(),
    nodeId: z.string(),
    tenant: z.string().nullable(),
    state: z.enum(runStates),
    queued: z
      .boolean()
      .openapi({ description: 'Running, and waits for another run of its node to end: nothing of it has begun' }),
    scheduledAt: time
      .nullable()
      .openapi({ description: 'Instant of the cron firing that began it; null: started otherwise' }),
    startedAt: time,
    finishedAt: time.nullable(),
    durationMs: z.int().openapi({ description: 'From its start to its end, or until now' }),
    cancelRequestedAt: time.nullable(),
    revision: z.int().nullable(),
    progress: z.string().nullable().openapi({ description: 'What a batch node last said of it', example: '350/1200' }),
    rerunOf: z.string().nullable().openapi({ description: 'Id of the run that it repeats' }),
    messages: z
      .object({ total: count, done: count, failed: count, discarded: count, cancelled: count, inProgress: count })
      .openapi({ description: '`total` is the sum of the others' }),
    intake: intake
      .nullable()
      .openapi({ description: 'How far a body has come in that is split into records; else null' }),
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
