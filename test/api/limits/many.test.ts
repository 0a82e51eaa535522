import { onTestFinished, expect, test } from 'vitest'
import { openBridge } from '../../../runtime/bridge/bridge.ts'
import { openStore } from '../../../runtime/store/store.ts'
import { silentLog } from '../../../runtime/telemetry/log.ts'
import { freshDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { fakeWorker } from '../../support/fake-worker.ts'
import { newId } from '../../../runtime/ids.ts'
import { openApi, published, secretKey } from '../open.ts'
import { callsOf } from '../running.ts'
import type { TestApi } from '../open.ts'

const tenants = 1_040

interface State {
  readonly items: readonly { readonly who: string | null }[]
  readonly next: string | null
  readonly backlog: number
  readonly by: string | null
  readonly secondsLeft: number | null
}

/** Two controls of one engine, whose `orders` call a service that asks each tenant to wait for an hour. */
async function twoControls() {
  const [database, namespace] = [await freshDatabase(), `t_${newId()}`]
  const open = () => openApi({ store: openStore(database, 4), namespace })
  const controls: [TestApi, TestApi] = [await open(), await open()]
  const [first] = controls
  const worker = await fakeWorker(() => ({ status: 429, headers: { 'retry-after': '3600' } }))
  onTestFinished(() => worker.close())
  await first.post('/api/services', { name: 'geo', limits: [{ rate: 9, per: 'second', scope: 'tenant' }] })
  await published(first, 'orders', { a: { service: 'geo', prefetch: 20 } })
  await first.send('PUT', '/api/workers/w', { json: { urls: [worker.url] } })
  return { controls, worker }
}

const stateAt = async (t: TestApi, query = ''): Promise<State> =>
  (await t.get(`/api/services/geo/state${query}`)).body as unknown as State

/** All keys per tenant, page by page, from the one control and the other in turn. */
async function allKeys(controls: readonly TestApi[]): Promise<(string | null)[]> {
  const all: (string | null)[] = []
  for (let after = '', page = 0; ; page++) {
    const control = controls[page % controls.length]
    if (control === undefined) return all
    const { items, next } = await stateAt(control, `?limit=500${after}`)
    all.push(...items.map(({ who }) => who))
    if (next === null) return all
    after = `&after=${next}`
  }
}

test('two controls show the same of more than a thousand tenants, page by page, and when they will be done', async () => {
  const { controls, worker } = await twoControls()
  const [first, second] = controls
  const names = Array.from({ length: tenants }, (_, n) => `tenant ${String(n).padStart(4, '0')}`)
  const run = (tenant: string) => second.post('/api/topologies/orders/run', { body: 1, tenant })
  for (let n = 0; n < tenants; n += 40) await Promise.all(names.slice(n, n + 40).map(run))
  const bridge = await openBridge({
    queues: first.queues,
    secretKey,
    graceMs: 1_000,
    highWater: 10_000,
    log: silentLog,
  })
  onTestFinished(() => bridge.close())
  await eventually('each is called', () => callsOf(worker).length === tenants, { timeoutMs: 40_000 })
  await eventually('each is known to wait', async () => (await first.queues.limits.limited()).size === tenants)
  expect(await allKeys(controls)).toEqual(names)
  for (const one of controls) {
    const { by, secondsLeft, backlog } = await stateAt(one)
    expect({ by, backlog }).toEqual({ by: 'observed', backlog: tenants })
    // Each message waits for an hour, whatever was called in the last seconds.
    expect(secondsLeft).toBeGreaterThan(3_500)
    expect(secondsLeft).toBeLessThan(3_602)
  }
  await second.send('PUT', '/api/services/geo', { json: { limits: [{ rate: 8, per: 'second', scope: 'tenant' }] } })
  for (const one of controls)
    expect((await one.get('/api/services/geo')).body).toMatchObject({ limits: [{ rate: 8, per: 'second' }] })
}, 90_000)
