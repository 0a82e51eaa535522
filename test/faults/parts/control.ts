/**
 * A control of the parts that production opens, over ports that can end the process at a named point. Its janitor's window is
 * smaller than production allows, so that streams are compacted and swept all the time. Settings come as JSON in the first argument.
 */
import { createApi, openAccess, openAdmission, openSweep, republishAllPlans } from '../../../runtime/api/api.ts'
import { listen } from '../../../runtime/commands/listen.ts'
import { openJanitor } from '../../../runtime/queue/janitor/janitor.ts'
import { openQueues } from '../../../runtime/queue/open.ts'
import type { Queues } from '../../../runtime/queue/open.ts'
import { openRecorder } from '../../../runtime/recorder/recorder.ts'
import { openStore } from '../../../runtime/store/store.ts'
import type { Store } from '../../../runtime/store/store.ts'
import { createLog } from '../../../runtime/telemetry/log.ts'
import type { ControlSettings } from './process.ts'
import { openPoints, overlay } from './points.ts'
import type { Points } from './points.ts'
import { openMetrics } from '../../../runtime/telemetry/metrics.ts'

const settings = JSON.parse(process.argv[2] ?? '{}') as ControlSettings
const log = createLog('info', 2)
const points = openPoints()
const listening = await listen({ port: settings.port, host: '127.0.0.1', chosenBy: 'the driver' })
const queues = queuesWithPoints(await openQueues({ ...settings, name: 'control', log }), points)
const store = storeWithPoints(openStore(settings.postgresUrl), points)
const { adminToken, secretKey, historyMs: windowMs, historyMaxBytes: maxBytes } = settings
const { connection, replicas } = queues
const janitor = openJanitor({ connection, replicas, windowMs, leastWindowMs: windowMs, maxBytes, log })
const limits = { maxMessages: Infinity, maxBytes: Infinity, maxUploads: Infinity, maxStoreBytes: undefined, disk: null }
const deps = {
  store,
  queues: queues.control,
  events: queues.events,
  access: openAccess(
    { trustedProxies: [], failuresPerMinute: 20, sessionIdleMs: 60_000, sessionMaxMs: 60_000 },
    queues.failures,
  ),
  admission: openAdmission({ queues: queues.control, ...limits }),
  histories: () => janitor.reports(),
  metrics: openMetrics(),
  adminToken,
  secretKey,
  version: 'faults',
  consoleFolder: null,
  log,
}
await republishAllPlans(deps)
await openRecorder({ queues, store, janitor, compactEveryMs: windowMs / 10, log })
openSweep(deps)
const api = createApi(deps)
listening.serve((request, env) => api.fetch(request, env))
points.ready()

/** In the recorder's transaction, after everything is written; and when it is committed. */
function storeWithPoints(store: Store, points: Points): Store {
  return overlay(store, {
    async transaction(work) {
      const result = await store.transaction(async (inside) => {
        const written = await work(inside)
        points.reach('before-commit')
        return written
      })
      points.reach('after-commit')
      return result
    },
  })
}

/** Around the janitor's purge and in its sweep, between a start that is stored and its answer, and around a plan. */
function queuesWithPoints(queues: Queues, points: Points): Queues {
  const { jsm } = queues.connection
  const streams = overlay(jsm.streams, {
    async purge(stream, options) {
      points.reach('before-purge')
      const answer = await jsm.streams.purge(stream, options)
      points.reach('after-purge')
      return answer
    },
    deleteMessage(...which) {
      points.reach('mid-sweep')
      return jsm.streams.deleteMessage(...which)
    },
  })
  const control = overlay(queues.control, {
    async start(start) {
      const answer = await queues.control.start(start)
      points.reach('start-stored')
      return answer
    },
    async ensure(plan) {
      await queues.control.ensure(plan)
      points.reach('plan-queued')
    },
    async putPlan(plan) {
      points.reach('plan-stored')
      await queues.control.putPlan(plan)
      points.reach('plan-told')
    },
    async delayed(topologyId) {
      const delayed = await queues.control.delayed(topologyId)
      points.reach('before-drop')
      return delayed
    },
  })
  return { ...queues, control, connection: overlay(queues.connection, { jsm: overlay(jsm, { streams }) }) }
}
