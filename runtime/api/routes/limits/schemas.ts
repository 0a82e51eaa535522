import { z } from '@hono/zod-openapi'
import { scopes } from '../../../topology/limits/limits.ts'
import { pageQuery } from '../../input/paging.ts'
import { text, time } from '../../schemas/common.ts'
import { serviceFields } from '../../schemas/registry.ts'

const count = z.int()

const asked = z
  .object({
    at: time.openapi({ description: 'When it asked last' }),
    until: time.openapi({ description: 'Until when no calls are made' }),
    retryAfterMs: z
      .number()
      .nullable()
      .openapi({ description: 'What it asked for; null: nothing, so this is a backoff' }),
    times: count.openapi({
      description:
        'How often it asked, counted on until it has not asked for a day; calls that were open together ask once',
    }),
  })
  .nullable()
  .openapi({ description: 'The last 429 within a day; null: there was none' })

const key = z
  .object({
    who: z.string().nullable().openapi({
      description: 'A tenant, or what a worker named; null: all calls of the service, or those without a tenant',
    }),
    scope: z.enum(scopes).openapi({ description: 'Whose calls count: those of the whole service, or of this one' }),
    waiting: count.openapi({ description: 'Calls that bridges hold back for it now' }),
    inFlight: count.nullable().openapi({ description: 'Calls open now; null: they are not counted here' }),
    ratePerSecond: z.number().openapi({ description: 'Permits used a second, over the last ten seconds' }),
    declaredPerSecond: z
      .number()
      .nullable()
      .openapi({ description: 'The most that its limits allow in the long run; null: they set no rate' }),
    pausedUntil: time
      .nullable()
      .openapi({ description: 'No calls before, since a worker answered 429; null: it goes on' }),
    asked,
    nextPermitAt: time.openapi({ description: 'When the next call may be made' }),
    turnsEndAt: time.nullable().openapi({
      description: 'When the last message comes back that was put off until its turn; null: there is none',
    }),
    awayBridges: z.array(z.string()).openapi({
      description:
        'Bridges that can not keep in NATS what they reserve: they go on with their share of the rate, and of the calls in flight',
    }),
  })
  .openapi('LimitKey')

const user = z
  .object({
    topology: z.string(),
    topologyId: z.string(),
    node: z.string(),
    nodeId: z.string().nullable(),
    published: z.boolean().openapi({ description: 'It is in the plan in force; else only in the draft' }),
    limitCost: count.openapi({ description: 'What one of its calls counts as' }),
  })
  .openapi('ServiceUser')

export const serviceState = z
  .object({
    ...serviceFields,
    at: time,
    shared: key.openapi({ description: 'What all calls of the service count against' }),
    items: z.array(key).openapi({ description: 'Keys per tenant, of which something is known, by name' }),
    next: z.string().nullable(),
    backlog: count.openapi({ description: 'Messages before published nodes that use it: queued, held and delayed' }),
    doneAt: time.nullable(),
    secondsLeft: z.number().nullable().openapi({ description: 'Until all of these have been called' }),
    by: z.enum(['nothing-waits', 'declared', 'observed']).nullable().openapi({
      description:
        'What that goes by: the declared limits while calls wait for them, else the calls of the last ten seconds; null: it is not known',
    }),
    reason: z.string().nullable().openapi({ description: 'Why it is not known' }),
    users: z.array(user).openapi({ description: 'Nodes whose calls count against it, 500 at most' }),
    usersLeftOut: z.boolean().openapi({ description: 'There are more of them' }),
    bridges: z.object({ live: z.array(z.string()), silent: z.array(z.string()) }),
  })
  .openapi('ServiceState')

export const stateQuery = pageQuery.extend({
  tenant: text(200).min(1).optional().openapi({ description: 'Only the key of this tenant' }),
})
