import { OpenAPIHono } from '@hono/zod-openapi'
import { shownPath } from './access/hidden.ts'
import { authenticate } from './auth.ts'
import { jsonBodies } from './body.ts'
import { consolePages } from './console/serve.ts'
import type { Api, ApiDeps, ApiEnv } from './deps.ts'
import { docsPage } from './docs-page.ts'
import { allowedMethods, openapiDocument } from './openapi.ts'
import { answerError, invalidInput, problemResponse } from './problem.ts'
import { knownInput } from './input/known.ts'
import { auditRoutes } from './routes/access/audit.ts'
import { sessionRoutes } from './routes/access/sessions.ts'
import { tokenRoutes } from './routes/access/tokens.ts'
import { bulkRoutes } from './routes/bulk/bulk.ts'
import { cronRoutes } from './routes/cron/cron.ts'
import { editorRoutes } from './routes/editors.ts'
import { eventRoutes } from './routes/events.ts'
import { appliedRoutes } from './routes/files/applied.ts'
import { checkRoutes } from './routes/files/check.ts'
import { differenceRoutes } from './routes/files/difference.ts'
import { schemaRoutes } from './routes/files/schema.ts'
import { hookRoutes } from './routes/hooks/hooks.ts'
import { serviceRoutes } from './routes/limits/services.ts'
import { serviceStateRoutes } from './routes/limits/state.ts'
import { nodeLookRoutes } from './routes/look/nodes.ts'
import { metricRoutes } from './routes/look/metrics.ts'
import { overviewRoutes } from './routes/look/overview.ts'
import { runLookRoutes } from './routes/look/runs.ts'
import { runStartRoutes } from './routes/look/start.ts'
import { tryRoutes } from './routes/look/try.ts'
import { nodeRoutes } from './routes/nodes.ts'
import { publishingRoutes } from './routes/publishing.ts'
import { cursorRoutes } from './routes/reading/cursors.ts'
import { watermarkRoutes } from './routes/reading/watermarks.ts'
import { runRoutes } from './routes/runs.ts'
import { startRoutes } from './routes/starts.ts'
import { systemRoutes } from './routes/system.ts'
import { topologyRoutes } from './routes/topologies.ts'
import { trashRoutes } from './routes/trash.ts'
import { trashTransferRoutes } from './routes/trash/transfer.ts'
import { trashDifferenceRoutes } from './routes/trash/difference.ts'
import { trashBodyRoutes } from './routes/trash/exact.ts'
import { workerRoutes } from './routes/workers.ts'

export { openAdmission } from './actions/admission.ts'
export { controlMetrics } from './actions/look/metrics.ts'
export { republishAllPlans } from './actions/plans.ts'
export { openAccess } from './access/access.ts'
export type { AccessOptions } from './access/access.ts'
export { openBulks } from './actions/bulk/bulks.ts'
export { openFigures } from './actions/figures/figures.ts'
export { openFiring } from './actions/firing/firing.ts'
export { openRetention } from './access/retention.ts'
export { openSweep } from './actions/leaving/sweep.ts'
export { mayTakeLong } from './actions/upload/patience.ts'

/**
 * The HTTP API. It opens nothing and closes nothing: what it works with is given, and stays its owner's. Serve it with
 * @hono/node-server, or call `request` on it.
 */
export function createApi(deps: ApiDeps): Api {
  const app: Api = new OpenAPIHono<ApiEnv>({
    defaultHook: (result) => {
      if (!result.success) throw invalidInput(places[result.target] ?? result.target, result.error)
    },
  })
  app.onError((error, c) => answerError(error, c, deps.log))
  app.notFound((c) => {
    const methods = allowedMethods(app, c.req.path)
    const known = methods.length > 0
    if (!known) return problemResponse(c, { status: 404, detail: `there is nothing at ${shownPath(c.req.path)}` })
    const detail = `${shownPath(c.req.path)} takes ${methods.join(', ')}, not ${c.req.method}`
    return problemResponse(c, { status: 405, detail, headers: { allow: methods.join(', ') } })
  })
  app.use(async (c, next) => {
    await next()
    // By this a client knows that it talks to an engine, and not to whatever else answers there.
    c.res.headers.set('sluice-version', deps.version)
  })
  if (deps.consoleFolder !== null) app.use(consolePages(deps.consoleFolder))
  app.use(authenticate(deps))
  app.use('/api/*', jsonBodies)
  app.use(knownInput(app))
  for (const routes of allRoutes) routes(app, deps)
  documentRoutes(app, deps.version)
  return app
}

const places: Readonly<Record<string, string>> = {
  json: 'the body',
  query: 'the query',
  param: 'the path',
  header: 'the headers',
}

const allRoutes = [
  topologyRoutes,
  overviewRoutes,
  nodeRoutes,
  nodeLookRoutes,
  tryRoutes,
  metricRoutes,
  publishingRoutes,
  checkRoutes,
  differenceRoutes,
  appliedRoutes,
  schemaRoutes,
  editorRoutes,
  startRoutes,
  hookRoutes,
  runRoutes,
  cronRoutes,
  cursorRoutes,
  watermarkRoutes,
  runLookRoutes,
  trashTransferRoutes,
  runStartRoutes,
  bulkRoutes,
  trashRoutes,
  trashDifferenceRoutes,
  trashBodyRoutes,
  workerRoutes,
  serviceRoutes,
  serviceStateRoutes,
  tokenRoutes,
  sessionRoutes,
  auditRoutes,
  systemRoutes,
  eventRoutes,
]

function documentRoutes(app: Api, version: string): void {
  app.get('/api/openapi.json', (c) => c.json(openapiDocument(app, version)))
  app.get('/api/docs', (c) => {
    c.header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
    return c.html(docsPage(openapiDocument(app, version)))
  })
}
