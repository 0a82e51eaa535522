import { readFileSync } from 'node:fs'
import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { openBridge } from '../../runtime/bridge/bridge.ts'
import { bridgeMetrics } from '../../runtime/bridge/look/metrics.ts'
import { durationBoundsMs } from '../../runtime/bridge/look/meters.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { metricTable } from '../../runtime/telemetry/metric-table.ts'
import { openMetrics } from '../../runtime/telemetry/metrics.ts'
import { eventually } from '../support/eventually.ts'
import { chain, openApi, published, secretKey } from './open.ts'
import { orders, start } from './running.ts'

/** Series → value, as Prometheus reads them. */
function read(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]))
}

test('docs/metrics.md has the table of metrics as it is', () => {
  const rows = Object.entries(metricTable).map(([name, { type, by, labels, help }]) => {
    const shown = labels.length === 0 ? '' : `${labels.join(', ')} `
    return `| \`${name}\` | ${type} | ${by} | ${shown}| ${help} |`
  })
  const page = readFileSync('docs/metrics.md', 'utf8')
  expect(page.split('\n').filter((line) => line.startsWith('| `'))).toEqual(rows)
})

test('control tells of queues, pauses, Trash and its parts, and only with a token that may read', async () => {
  const { t } = await orders(() => ({ status: 204 }))
  for (let n = 0; n < 2; n++) await start(t)
  expect((await t.send('GET', '/metrics', { token: null })).status).toBe(401)
  const answer = await t.get('/metrics')
  expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  const series = read(answer.text)
  expect(series.get('sluice_queue_messages{topology="orders",node="start",state="pending"}')).toBe(2)
  expect(series.get('sluice_queue_oldest_seconds{topology="orders",node="start"}')).toBeGreaterThan(0)
  expect(series.get('sluice_node_paused{topology="orders",node="a"}')).toBe(0)
  expect(series.get('sluice_trash_open_messages{topology="orders"}')).toBe(0)
  expect(series.get('sluice_stream_bytes{topology="orders"}')).toBeGreaterThan(0)
  expect(series.get('sluice_bridges_live')).toBe(0)
  expect(series.get('sluice_nats_connected')).toBe(1)
  expect(series.get('sluice_postgres_connected')).toBe(1)
  expect(series.get('process_resident_memory_bytes')).toBeGreaterThan(0)
  const known = Object.entries(metricTable).flatMap(([name, { by }]) => (by === 'control' ? [name] : []))
  for (const name of known) expect(answer.text).toContain(`# TYPE ${name} gauge`)
})

test('of many topologies those have series that hold something, rest, or have open Trash; the others are counted', async () => {
  const { t } = await orders(() => ({ status: 204 }))
  await published(t, 'resting')
  const { id: trashed } = await published(t, 'trashed')
  await t.send('PATCH', '/api/topologies/resting', { json: { paused: true } })
  await start(t)
  await t.store.query((db) =>
    db.execute(sql`insert into topologies (id, name, document, visibility, revision)
      select 'idle-' || n, 'idle-' || n, '{}', 'public', 1 from generate_series(1, 120) n`),
  )
  await t.store.query((db) =>
    db.execute(sql`insert into trash_groups (topology_id, node_id, fingerprint, open, replayed, discarded)
      select id, 'n', 'f', 1, 0, 0 from (select ${trashed} as id union all select 'idle-' || n from generate_series(1, 5) n) x`),
  )
  const series = read((await t.get('/metrics')).text)
  const depth = (topology: string) =>
    series.get(`sluice_queue_messages{topology="${topology}",node="start",state="pending"}`)
  expect(series.get('sluice_topologies_published')).toBe(123)
  expect(depth('orders')).toBe(1)
  expect(depth('resting')).toBe(0)
  expect(depth('trashed')).toBeUndefined()
  expect(series.get('sluice_node_paused{topology="resting",node="a"}')).toBe(1)
  expect(series.get('sluice_trash_open_messages{topology="trashed"}')).toBe(1)
  expect(series.has('sluice_trash_open_messages{topology="orders"}')).toBe(false)
  expect(series.get('sluice_topologies_left_out{of="queues"}')).toBe(0)
  expect(series.get('sluice_topologies_left_out{of="trash"}')).toBe(0)
})

test('a bridge counts what it settles, its calls by their outcome, and how long they took', async () => {
  let calls = 0
  const { t } = await orders(() => (calls++ === 0 ? { status: 500 } : { status: 204 }), {
    a: { retry: { attempts: 3, backoff: 'fixed', baseMs: 1, maxMs: 1 } },
  })
  const bridge = await openBridge({ queues: t.queues, secretKey, graceMs: 1_000, highWater: 10_000, log: silentLog })
  const metrics = openMetrics()
  metrics.add(() => bridgeMetrics(bridge, () => true))
  await start(t)
  const series = await eventually('it is counted', async () => {
    const found = read(await metrics.text())
    return found.get('sluice_hops_total{topology="orders",node="a",verdict="end"}') === 1 && found
  })
  const at = 'topology="orders",node="a",worker="w"'
  expect(series.get('sluice_hops_total{topology="orders",node="start",verdict="forward"}')).toBe(1)
  expect(series.get(`sluice_calls_total{${at},outcome="5xx"}`)).toBe(1)
  expect(series.get(`sluice_calls_total{${at},outcome="2xx"}`)).toBe(1)
  expect(series.get(`sluice_call_duration_seconds_count{${at}}`)).toBe(2)
  expect(series.get(`sluice_call_duration_seconds_bucket{${at},le="+Inf"}`)).toBe(2)
  expect(series.get('sluice_worker_instances{worker="w",state="closed"}')).toBe(1)
  expect(series.get('sluice_bridge_nats_connected')).toBe(1)
  const buckets = durationBoundsMs.map((ms) =>
    series.get(`sluice_call_duration_seconds_bucket{${at},le="${ms / 1_000}"}`),
  )
  expect(buckets).toEqual([...buckets].sort((a = 0, b = 0) => a - b))
  await bridge.close()
})

test('a bridge counts by service what its calls counted as, and what waits for it', async () => {
  const costs = ['3', '0', 'many']
  const { t } = await orders(() => ({ status: 204, headers: { 'sluice-limit-cost': costs.shift() ?? '' } }))
  await t.post('/api/services', { name: 'geo', limits: [{ rate: 1_000, per: 'day' }] })
  await t.send('PUT', '/api/topologies/orders', { json: chain('orders', { a: { service: 'geo', limitCost: 4 } }) })
  await t.post('/api/topologies/orders/publish')
  const bridge = await openBridge({ queues: t.queues, secretKey, graceMs: 1_000, highWater: 10_000, log: silentLog })
  const metrics = openMetrics()
  metrics.add(() => bridgeMetrics(bridge, () => true))
  for (let n = 0; n < 3; n++) await start(t)
  const series = await eventually('all calls are counted', async () => {
    const found = read(await metrics.text())
    return found.get('sluice_limit_permits_total{service="geo"}') === 7 && found
  })
  expect(series.get('sluice_limit_waiting_calls{service="geo"}')).toBe(0)
  expect(series.get('sluice_limit_away{service="geo"}')).toBe(0)
  await bridge.close()
})

test('with NATS away control says so, and leaves out what it cannot know', async () => {
  const t = await openApi()
  await t.queues.close()
  const answer = await t.get('/metrics')
  expect(answer.status).toBe(200)
  const series = read(answer.text)
  expect(series.get('sluice_nats_connected')).toBe(0)
  expect(series.get('sluice_postgres_connected')).toBe(1)
  expect(series.has('sluice_bridges_live')).toBe(false)
})
