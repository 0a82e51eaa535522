import { createRoute } from '@hono/zod-openapi'
import type { z } from '@hono/zod-openapi'
import { getRevision } from '../../../store/queries/revisions.ts'
import type { Topology } from '../../../store/queries/topologies.ts'
import { differenceOf, graphOfPlan } from '../../../topology/files/difference.ts'
import type { Difference } from '../../../topology/files/difference.ts'
import { withoutLeaving } from '../../../topology/leaving.ts'
import { draftPlan } from '../../actions/publishing/draft-plan.ts'
import { needs } from '../../auth.ts'
import type { Api, ApiDeps } from '../../deps.ts'
import { json } from '../../schemas/common.ts'
import * as schemas from '../../schemas/files.ts'
import { topologyOf } from '../topologies.ts'

const route = createRoute({
  ...needs('read'),
  operationId: 'compareRevisions',
  tags: ['Publishing'],
  summary: 'Compare a revision with another one, or with the draft',
  description: 'Nodes are matched by name. 400 when the draft has faults, since it would be no revision.',
  method: 'get',
  path: '/api/topologies/{topology}/revisions/{revision}/difference',
  request: { params: schemas.differenceParam, query: schemas.differenceQuery },
  responses: { 200: { description: 'What is different', content: json(schemas.difference) } },
})

export function differenceRoutes(app: Api, deps: ApiDeps): void {
  app.openapi(route, async (c) => {
    const { topology: ref, revision } = c.req.valid('param')
    const topology = await topologyOf(deps, c.get('caller'), ref)
    return c.json(await compare(deps, topology, revision, c.req.valid('query').to ?? topology.revision), 200)
  })
}

async function compare(
  { store }: ApiDeps,
  topology: Topology,
  from: number,
  to: number | 'draft',
): Promise<z.infer<typeof schemas.difference>> {
  const planOf = async (revision: number) => (await getRevision(store, topology.id, revision)).plan
  // Nodes that leave are in no draft, and are none of its doing any more.
  const [before, after] =
    to === 'draft'
      ? [withoutLeaving(await planOf(from)), await draftPlan(store, topology)]
      : [await planOf(from), await planOf(to)]
  return { from, to: to === 'draft' ? null : to, ...sidesOf(differenceOf(graphOfPlan(before), graphOfPlan(after))) }
}

export function sidesOf({ values, nodes, edges, reordered }: Difference) {
  return {
    values: [...values],
    nodes: nodes.map((node) => ({ ...node, values: [...node.values] })),
    edges: [...edges],
    reordered: [...reordered],
  }
}
