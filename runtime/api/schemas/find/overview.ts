import { z } from '@hono/zod-openapi'
import { foundKinds } from '../../../store/queries/find/search.ts'
import { runStates } from '../../../store/schema/index.ts'
import { pageOf, pageQuery } from '../../input/paging.ts'
import { text, time, labels } from '../common.ts'
import { attentionKinds } from '../system.ts'

const overview = z
  .object({
    id: z.string(),
    name: z.string(),
    description: z.string().nullable(),
    labels,
    visibility: z.enum(['draft', 'public']),
    enabled: z.boolean(),
    paused: z.boolean(),
    pausedReason: z.string().nullable(),
    bridgeOutOfSync: z.boolean(),
    revision: z.int(),
    nodes: z.int().openapi({ description: 'Of the draft' }),
    openTrash: z.int(),
    attention: z.array(z.enum(attentionKinds)),
    ratePerSecond: z.number().nullable().openapi({
      description: 'Settled a second at all of its nodes, over the last 10 s; null: a bridge does not answer',
    }),
    lastRun: z
      .object({ id: z.string(), state: z.enum(runStates), startedAt: time, finishedAt: time.nullable() })
      .nullable()
      .openapi({ description: 'The one that began last' }),
  })
  .openapi('TopologyOverview')

export const overviewPage = pageOf('TopologyOverview', overview).extend({
  total: z.int().openapi({ description: 'How many there are with these filters' }),
})

const labelMax = 320

/** `team=shop,urgent`. */
const labelFilter = text(labelMax)
  .transform((all) => all.split(',').filter((one) => one !== ''))
  .transform((all) =>
    all.map((one) => {
      const at = one.indexOf('=')
      return at < 0 ? { name: one, value: null } : { name: one.slice(0, at), value: one.slice(at + 1) }
    }),
  )
  .openapi({
    type: 'string',
    description: 'With all of these, with commas: `team=shop`, or `team` for any',
    example: 'team=shop',
  })

const searchMax = 200

export const overviewQuery = pageQuery.extend({
  text: text(searchMax).optional().openapi({ description: 'Part of the name or the description, whatever its case' }),
  labels: labelFilter.optional(),
  show: z
    .enum(['published', 'draft', 'disabled', 'paused', 'attention'])
    .optional()
    .openapi({ description: 'Only those; `attention`: where a person may have to look' }),
})

const found = z
  .object({
    kind: z.enum(foundKinds),
    id: z.string(),
    name: z.string().openapi({ description: 'Of a run and of a message in Trash: of its node' }),
    topologyId: z.string(),
    topology: z.string(),
  })
  .openapi('Found')

export const foundList = z.object({ items: z.array(found) }).openapi('FoundList')

export const searchQuery = z.object({
  text: text(searchMax).min(1).openapi({
    description: 'Part of a name, the beginning of the id of a run or of a message in Trash, or any id',
    example: 'store',
  }),
  limit: z.coerce.number().int().min(1).max(100).default(20).openapi({ description: 'How many items at most' }),
})
