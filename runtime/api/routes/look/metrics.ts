import { createRoute, z } from '@hono/zod-openapi'
import { needs } from '../../auth.ts'
import type { Api, ApiDeps } from '../../deps.ts'

const metricsRoute = createRoute({
  ...needs('read'),
  operationId: 'getMetrics',
  tags: ['System'],
  summary: 'Metrics for Prometheus',
  description:
    'Of this control, and of the queues of all published topologies. Bridges serve their own on their health port, to everybody who reaches it. What is asked twice within 2 s is answered with the same.',
  method: 'get',
  path: '/metrics',
  responses: {
    200: {
      description: 'In the text format, version 0.0.4',
      content: {
        'text/plain': { schema: z.string().openapi('Metrics', { example: 'sluice_bridges_live 2\n' }) },
      },
    },
  },
})

export function metricRoutes(app: Api, deps: ApiDeps): void {
  app.openapi(metricsRoute, async (c) => {
    const { metrics } = deps
    return c.text(await metrics.text(), 200, { 'content-type': metrics.contentType })
  })
}
