import { z } from '@hono/zod-openapi'
import { missedKinds, overlapKinds } from '../../../topology/schedule/schema.ts'
import { pageOf } from '../../input/paging.ts'
import { text, time, timeQuery, wholeQuery } from '../../schemas/common.ts'
import { firing } from '../../schemas/topologies.ts'

const cronNode = firing
  .extend({
    nodeId: z.string(),
    node: z.string(),
    topologyId: z.string(),
    topology: z.string(),
    cron: z.string().nullable().openapi({ description: 'As stored; null: none is said yet', example: '0 6 * * mon' }),
    timezone: z.string().openapi({ example: 'Europe/Prague' }),
    overlap: z.enum(overlapKinds),
    missed: z.enum(missedKinds),
    enabled: z.boolean().openapi({ description: 'Of the node itself' }),
    active: z.boolean().openapi({ description: 'It fires: it is published, and its topology and itself are enabled' }),
    inForce: z
      .object({ cron: z.string(), timezone: z.string() })
      .nullable()
      .openapi({ description: 'The schedule that was published; null: it fires by none' }),
    queued: z.int().openapi({ description: 'Runs that wait for those before them' }),
  })
  .openapi('CronNode')

export const cronPage = pageOf('CronNode', cronNode)

export const previewQuery = z.object({
  expression: text(200).openapi({
    description: '5 or 6 fields, a word such as @hourly, or @every',
    example: '0 6 * * mon',
  }),
  timezone: text(100).default('UTC').openapi({ description: 'IANA name', example: 'Europe/Prague' }),
  count: wholeQuery(1, 100).default(5).openapi({ type: 'integer', description: 'How many firings' }),
  from: timeQuery.optional().openapi({ description: 'Only those after that time; default: now' }),
})

export const preview = z
  .object({
    expression: z.string(),
    timezone: z.string(),
    firings: z.array(
      z
        .object({
          at: time,
          local: z.string().openapi({ description: 'By the clock of the zone', example: '2026-03-30T06:00:00+02:00' }),
        })
        .openapi('CronFiring'),
    ),
  })
  .openapi('CronPreview')
