import { createRoute, z } from '@hono/zod-openapi'
import { Invalid } from '../../../errors.ts'
import { listCron } from '../../../store/queries/starts/cron.ts'
import type { CronPlace, CronRow } from '../../../store/queries/starts/cron.ts'
import { queuedOf } from '../../../store/queries/starts/written.ts'
import { cronFault, timezoneFault } from '../../../topology/schedule/cron.ts'
import { instantsAfter } from '../../../topology/schedule/next.ts'
import { showFiring } from '../../actions/firing/show.ts'
import { needs, ownTopology } from '../../auth.ts'
import type { Api, ApiDeps } from '../../deps.ts'
import { afterText, page, pageQuery, strange } from '../../input/paging.ts'
import { json } from '../../schemas/common.ts'
import { filteredId } from '../topologies.ts'
import * as schemas from './schemas.ts'

const tags = ['Cron']

const list = createRoute({
  ...needs('read', { topologyBy: 'handler' }),
  operationId: 'listCron',
  tags,
  summary: 'List cron nodes, with their next and last firings',
  description: 'Over all topologies, by topology and name.',
  method: 'get',
  path: '/api/cron',
  request: {
    query: pageQuery.extend({ topology: z.string().max(200).optional().openapi({ description: 'Id or name' }) }),
  },
  responses: { 200: { description: 'A page', content: json(schemas.cronPage) } },
})

const preview = createRoute({
  ...needs('read', { topologyBy: 'handler' }),
  operationId: 'previewCron',
  tags,
  summary: 'Say when a schedule would fire',
  description: 'By the same rules as the engine fires, days of daylight saving included. Nothing is stored.',
  method: 'get',
  path: '/api/cron/preview',
  request: { query: schemas.previewQuery },
  responses: { 200: { description: 'The next firings', content: json(schemas.preview) } },
})

export function cronRoutes(app: Api, deps: ApiDeps): void {
  app.openapi(list, async (c) => {
    const { limit, after, topology } = c.req.valid('query')
    const topologyId = ownTopology(c.get('caller'), await filteredId(deps, topology))
    const rows = await listCron(deps.store, topologyId, limit + 1, placeAfter(after))
    const queued = await queuedOf(
      deps.store,
      rows.map(({ node }) => node.id),
    )
    return c.json(
      page(
        rows,
        limit,
        (row) => show(row, queued),
        (row) => `${row.topology.name}/${row.node.name}`,
      ),
      200,
    )
  })
  app.openapi(preview, (c) => {
    const { expression, timezone, count, from = new Date() } = c.req.valid('query')
    const faults = [
      { path: 'expression', message: cronFault(expression) },
      { path: 'timezone', message: timezoneFault(timezone) },
    ].flatMap(({ path, message }) => (message === null ? [] : [{ path, message }]))
    if (faults.length > 0) throw new Invalid(faults[0]?.message ?? '', faults)
    const instants = instantsAfter({ cron: expression, timezone, anchor: from }, from, count)
    const firings = instants.map((at) => ({ at: at.toISOString(), local: localText(at, timezone) }))
    return c.json({ expression, timezone, firings }, 200)
  })
}

function placeAfter(after: string | undefined): CronPlace | null {
  const text = afterText(after)
  if (text === null) return null
  const [topology, node, ...rest] = text.split('/')
  if (topology === undefined || node === undefined || rest.length > 0) throw strange()
  return { topology, node }
}

function show({ node, topology, gate }: CronRow, queued: ReadonlyMap<string, number>) {
  const inForce = inForceOf(gate)
  const active = topology.visibility === 'public' && topology.enabled && node.enabled && inForce !== null
  return {
    nodeId: node.id,
    node: node.name,
    topologyId: topology.id,
    topology: topology.name,
    cron: node.cron,
    timezone: node.timezone ?? 'UTC',
    overlap: node.overlap ?? ('skip' as const),
    missed: node.missed ?? ('once' as const),
    enabled: node.enabled,
    active,
    inForce,
    ...showFiring(gate, active),
    queued: queued.get(node.id) ?? 0,
  }
}

function inForceOf(gate: CronRow['gate']): { cron: string; timezone: string } | null {
  const { cron = null, timezone = null } = gate ?? {}
  return cron === null || timezone === null ? null : { cron, timezone }
}

/** RFC 3339 by the clock of the zone. */
function localText(at: Date, timeZone: string): string {
  const local = at.toLocaleString('sv-SE', { timeZone }).replace(' ', 'T')
  const offsetMinutes = Math.round((Date.parse(`${local}Z`) - Math.floor(at.getTime() / 1000) * 1000) / 60_000)
  const two = (n: number): string => String(Math.floor(n)).padStart(2, '0')
  const minutes = Math.abs(offsetMinutes)
  return `${local}${offsetMinutes < 0 ? '-' : '+'}${two(minutes / 60)}:${two(minutes % 60)}`
}
