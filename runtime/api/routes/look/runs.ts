import { createRoute, z } from '@hono/zod-openapi'
import { messagesOf, messageTimeline } from '../../actions/runs/messages.ts'
import { timelineOf } from '../../actions/runs/timeline.ts'
import { needs } from '../../auth.ts'
import type { Api, ApiDeps } from '../../deps.ts'
import { afterNumber, numberMark } from '../../input/paging.ts'
import { idParam, json } from '../../schemas/common.ts'
import * as schemas from '../../schemas/runs/history.ts'
import { runOf, showRun } from '../runs.ts'

const tags = ['Runs']

const timelineRoute = createRoute({
  ...needs('read', { topologyBy: 'handler' }),
  operationId: 'getRunTimeline',
  tags,
  summary: 'What happened in a run, node by node',
  description:
    'From milestones that are kept as long as the run: counts, times and durations for each node, what went to Trash and came back, how it ended. `complete` and `since` say whether single messages are still kept.',
  method: 'get',
  path: '/api/runs/{id}/timeline',
  request: { params: idParam },
  responses: { 200: { description: 'The timeline', content: json(schemas.runTimeline) } },
})

const messagesRoute = createRoute({
  ...needs('read', { topologyBy: 'handler' }),
  operationId: 'listRunMessages',
  tags,
  summary: 'The messages that a message of a run became',
  description:
    'Page by page, in order, each with where it is or how it ended, as long as the queues keep them. Without `of` those that the run began with became. Their own ones are found with their ids. Nothing of what they hold is shown.',
  method: 'get',
  path: '/api/runs/{id}/messages',
  request: { params: idParam, query: schemas.messagesQuery },
  responses: { 200: { description: 'A page', content: json(schemas.runMessagePage) } },
})

const messageRoute = createRoute({
  ...needs('read', { topologyBy: 'handler' }),
  operationId: 'getMessageTimeline',
  tags,
  summary: 'What happened to one message of a run',
  description:
    'Each node that it came to one to one, with how long it was queued, called and waited, its failed calls, Trash and replays. What it was split into is listed by `GET /api/runs/{id}/messages?of=`. Nothing of what it holds is shown.',
  method: 'get',
  path: '/api/runs/{id}/messages/{message}/timeline',
  request: { params: schemas.messageParam, query: z.object({ page: schemas.pageNumber }) },
  responses: { 200: { description: 'The timeline', content: json(schemas.messageTimeline) } },
})

const limitDefault = 50

export function runLookRoutes(app: Api, deps: ApiDeps): void {
  app.openapi(timelineRoute, async (c) => {
    const run = await runOf(deps, c.get('caller'), c.req.valid('param').id)
    return c.json({ run: showRun(run), ...(await timelineOf(deps, run)) }, 200)
  })
  app.openapi(messagesRoute, async (c) => {
    const run = await runOf(deps, c.get('caller'), c.req.valid('param').id)
    const { of = run.id, page = 0, limit = limitDefault, after } = c.req.valid('query')
    const from = afterNumber(after) ?? 0
    const { items, total } = await messagesOf(deps, run, of, { page, from, limit })
    const end = from + items.length
    return c.json({ items, total, next: items.length > 0 && end < total ? numberMark(end) : null }, 200)
  })
  app.openapi(messageRoute, async (c) => {
    const { id, message } = c.req.valid('param')
    const run = await runOf(deps, c.get('caller'), id)
    return c.json(await messageTimeline(deps, run, message, c.req.valid('query').page ?? 0), 200)
  })
}
