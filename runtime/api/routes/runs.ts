import { createRoute, z } from '@hono/zod-openapi'
import type { Intake } from '../../protocol/intake.ts'
import { runStates } from '../../store/schema/index.ts'
import { getRun, listRuns } from '../../store/queries/runs.ts'
import type { Run, RunFilter } from '../../store/queries/runs.ts'
import { findNode, nodeIdsOf } from '../../store/queries/nodes.ts'
import { cancelRun } from '../actions/cancel.ts'
import { rerunRun } from '../actions/runs/rerun.ts'
import { changes, checkTopology, needs, ownTopology } from '../auth.ts'
import type { Api, ApiDeps, Caller } from '../deps.ts'
import { afterPlace, markOf, page, pageQuery } from '../input/paging.ts'
import { body, idParam, json, text, timeQuery } from '../schemas/common.ts'
import * as schemas from '../schemas/runs.ts'
import { filteredId } from './topologies.ts'

const tags = ['Runs']

const query = pageQuery.extend({
  topology: z.string().max(200).optional().openapi({ description: 'Id or name' }),
  node: z.string().max(200).optional().openapi({ description: 'Id or name of the node that was started' }),
  tenant: text(200).optional(),
  state: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(runStates, { error: `expected one or several of ${runStates.join(', ')}, with commas` })))
    .optional()
    .openapi({
      type: 'string',
      description: `One or several of ${runStates.join(', ')}, with commas`,
      example: 'failed,cancelled',
    }),
  since: timeQuery.optional().openapi({ description: 'Started at that time or later' }),
  until: timeQuery.optional().openapi({ description: 'Started before that time' }),
  rerunOf: text(200).optional().openapi({ description: 'Id of a run: its reruns' }),
})

const list = createRoute({
  ...needs('read', { topologyBy: 'handler' }),
  operationId: 'listRuns',
  tags,
  summary: 'List runs, the newest first',
  method: 'get',
  path: '/api/runs',
  request: { query },
  responses: { 200: { description: 'A page', content: json(schemas.runPage) } },
})

const get = createRoute({
  ...needs('read', { topologyBy: 'handler' }),
  operationId: 'getRun',
  tags,
  summary: 'Get a run with its counters',
  description: 'A run appears shortly after its start was accepted: until then it is a 404.',
  method: 'get',
  path: '/api/runs/{id}',
  request: { params: idParam },
  responses: { 200: { description: 'The run', content: json(schemas.run) } },
})

const cancel = createRoute({
  ...changes('operate', 'cancelRun', { topologyBy: 'handler' }),
  tags,
  summary: 'Cancel a run',
  description:
    'What the run still has settles as cancelled wherever it is: queued, delayed, held, or waiting as a reply. Calls that are under way end first. Idempotent; 409 when the run has ended otherwise.',
  method: 'post',
  path: '/api/runs/{id}/cancel',
  request: { params: idParam },
  responses: { 202: { description: 'It will be cancelled, or is already', content: json(schemas.cancelled) } },
  'x-problems': [409],
})

const rerun = createRoute({
  ...changes('operate', 'rerunRun', { topologyBy: 'handler' }),
  tags,
  summary: 'Run it again',
  description:
    'A new run with the same start message, byte by byte; with `node` one that begins at that node with what entered it in this run, each message once, as it entered last. That is known while the queues keep it, and when the run has ended; else it is a 409. Equal `Idempotency-Key`s give the same new run.',
  method: 'post',
  path: '/api/runs/{id}/rerun',
  request: {
    params: idParam,
    headers: z.object({ 'idempotency-key': schemas.startKey.optional() }),
    body: body(schemas.rerunRequest),
  },
  responses: {
    202: {
      description: 'It is kept, and will begin whatever crashes. `Location` is the new run.',
      content: json(schemas.accepted),
    },
  },
  'x-problems': [409, 429],
})

export function runRoutes(app: Api, deps: ApiDeps): void {
  const { store } = deps
  app.openapi(list, async (c) => {
    const { limit, after, topology, node, state: states, ...more } = c.req.valid('query')
    const filter = { ...(await placeOf(deps, c.get('caller'), topology, node)), states, ...more }
    const rows = await listRuns(store, filter, limit + 1, afterPlace(after))
    return c.json(
      page(rows, limit, showRun, (row) => markOf({ at: row.startedAt, id: row.id })),
      200,
    )
  })
  app.openapi(get, async (c) => c.json(showRun(await runOf(deps, c.get('caller'), c.req.valid('param').id)), 200))
  app.openapi(cancel, async (c) => {
    const { id } = await runOf(deps, c.get('caller'), c.req.valid('param').id)
    return c.json(await cancelRun({ ...deps, audit: c.get('audit') }, id), 202)
  })
  app.openapi(rerun, async (c) => {
    const caller = c.get('caller')
    const run = await runOf(deps, caller, c.req.valid('param').id)
    const { node = null } = c.req.valid('json')
    const key = c.req.valid('header')['idempotency-key'] ?? null
    const runId = await rerunRun({ ...deps, audit: c.get('audit') }, run, { node, key, by: caller.name })
    c.header('location', `/api/runs/${runId}`)
    return c.json({ runId }, 202)
  })
}

/** Finds a run for a caller who may use its topology. Throws `NotFound`, 403. */
export async function runOf({ store }: ApiDeps, caller: Caller, id: string): Promise<Run> {
  const run = await getRun(store, id)
  checkTopology(caller, run.topologyId)
  return run
}

/** A name that many topologies have for a node is looked for as a name; any other node is one of a topology. */
async function placeOf(
  deps: ApiDeps,
  caller: Caller,
  topology: string | undefined,
  node: string | undefined,
): Promise<Pick<RunFilter, 'topologyId' | 'nodeIds' | 'nodeName'>> {
  const topologyId = ownTopology(caller, await filteredId(deps, topology))
  if (node === undefined) return { topologyId }
  if (topologyId !== undefined) return { topologyId, nodeIds: await nodeIdsOf(deps.store, node, topologyId) }
  const found = await findNode(deps.store, node)
  return found ? { topologyId: found.topologyId, nodeIds: [found.id] } : { nodeName: node }
}

export function showRun(run: Run): z.infer<typeof schemas.run> {
  const { id, topologyId, nodeId, tenant, state, revision, done, failed, discarded, cancelled, inProgress } = run
  const total = done + failed + discarded + cancelled + inProgress
  return {
    id,
    topology: run.topologyName,
    topologyId,
    node: run.nodeName,
    nodeId,
    tenant,
    state,
    queued: run.startState === 'queued',
    scheduledAt: run.scheduledAt?.toISOString() ?? null,
    startedAt: run.startedAt.toISOString(),
    finishedAt: run.finishedAt?.toISOString() ?? null,
    durationMs: Math.max(0, (run.finishedAt?.getTime() ?? Date.now()) - run.startedAt.getTime()),
    cancelRequestedAt: run.cancelRequestedAt?.toISOString() ?? null,
    revision,
    progress: run.progress,
    rerunOf: run.rerunOf,
    messages: { total, done, failed, discarded, cancelled, inProgress },
    intake: run.intake && showIntake(run.intake),
  }
}

function showIntake({ state, resumable, records, trashed, error, at }: Intake): z.infer<typeof schemas.run>['intake'] {
  return { state, resumable, records, trashed, error, at }
}
