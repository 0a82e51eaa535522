/** `npm run bench:api`: how fast the API reads when much is stored, how long senders of webhooks wait, and what a republish costs a topology through which data flows. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { request } from 'undici'
import { controlMetrics, createApi, openAccess, openAdmission } from '../runtime/api/api.ts'
import { listen } from '../runtime/commands/listen.ts'
import { startEmbedded } from '../runtime/embedded/index.ts'
import { newId } from '../runtime/ids.ts'
import { openQueues } from '../runtime/queue/open.ts'
import { migrate } from '../runtime/store/migrate.ts'
import { openStore } from '../runtime/store/store.ts'
import { silentLog } from '../runtime/telemetry/log.ts'
import { openMetrics } from '../runtime/telemetry/metrics.ts'
import { timeReads } from './reads.ts'
import type { Timing } from './reads.ts'
import { timeRecording } from './recording.ts'
import { timeRepublish } from './republish.ts'
import { seed } from './seed.ts'
import { timeWebhooks } from './webhooks.ts'

const { values } = parseArgs({
  options: {
    topologies: { type: 'string', default: '10000' },
    runs: { type: 'string', default: '1000000' },
    trash: { type: 'string', default: '1000000' },
    times: { type: 'string', default: '200' },
    /** All messages in Trash are open, instead of a tenth. */
    open: { type: 'boolean', default: false },
    /** Only the reads whose name has this in it, and nothing else. */
    only: { type: 'string', default: '' },
    /** Kept, so that the next run finds its rows there; by default a folder that goes away. */
    data: { type: 'string' },
  },
})

const amounts = {
  topologies: Number(values.topologies),
  runs: Number(values.runs),
  trash: Number(values.trash),
  allOpen: values.open,
}
const dataDir = values.data ?? (await mkdtemp(join(tmpdir(), 'sluice-bench-')))
const embedded = await startEmbedded({ dataDir, natsServer: process.env.SLUICE_NATS_SERVER })
await migrate(embedded.postgresUrl)
await seed(embedded.postgresUrl, amounts, console.log)

const store = openStore(embedded.postgresUrl)
const namespace = `bench_${newId()}`
const queues = await openQueues({ url: embedded.natsUrl, name: 'bench', namespace, replicas: 1, log: silentLog })
const listening = await listen({ port: 0, host: '127.0.0.1', chosenBy: 'the benchmark' })
const limits = { maxMessages: Infinity, maxBytes: Infinity, maxUploads: Infinity, maxStoreBytes: undefined, disk: null }
const adminToken = newId()
const metrics = openMetrics()
// Made anew for each scrape, so that none is answered with the one before.
metrics.add(() => controlMetrics({ store, queues: queues.control, histories: () => new Map() })())
const api = createApi({
  store,
  queues: queues.control,
  events: queues.events,
  admission: openAdmission({ queues: queues.control, ...limits }),
  histories: () => new Map(),
  access: openAccess(
    { trustedProxies: [], failuresPerMinute: 1_000, sessionIdleMs: 3_600_000, sessionMaxMs: 3_600_000 },
    queues.failures,
  ),
  metrics,
  adminToken,
  secretKey: newId(),
  version: 'bench',
  consoleFolder: null,
  log: silentLog,
})
listening.serve((incoming, env) => api.fetch(incoming, env))

async function call(
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  json?: unknown,
): Promise<unknown> {
  const headers = { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' }
  const reply = await request(`${listening.url}${path}`, {
    method,
    headers,
    ...(json !== undefined && { body: JSON.stringify(json) }),
  })
  const text = await reply.body.text()
  if (reply.statusCode >= 300) throw new Error(`${method} ${path}: ${reply.statusCode} ${text}`)
  return /json/.test(String(reply.headers['content-type'])) ? JSON.parse(text) : text
}

/** Also what a run that was interrupted left; there may be nothing. */
async function forget(): Promise<void> {
  for (const path of ['/api/topologies/live?force=true', '/api/topologies/hooks?force=true', '/api/workers/echo'])
    await call('DELETE', path).catch(() => null)
}

const show = ({ name, p50, p95, p99 }: Timing): string =>
  `${name.padEnd(52)} ${[p50, p95, p99].map((ms) => ms.toFixed(1).padStart(8)).join(' ')}`

try {
  await forget()
  const isPart = values.only !== ''
  const webhooks = isPart ? [] : await timeWebhooks(call, Number(values.times))
  await forget()
  const republish = isPart ? [] : await timeRepublish({ call, queues })
  const recording = isPart ? [] : await timeRecording(store)
  const reads = await timeReads((path) => call('GET', path), amounts, Number(values.times), values.only)
  console.log(
    `${`milliseconds, of ${values.times} requests one after the other`.padEnd(52)}      p50      p95      p99`,
  )
  for (const timing of [...webhooks, ...reads]) console.log(show(timing))
  for (const line of [...republish, ...recording]) console.log(line)
} finally {
  await forget()
  await listening.close()
  await queues.close()
  await store.close()
  await embedded.stop()
  if (values.data === undefined) await rm(dataDir, { recursive: true, force: true })
}
