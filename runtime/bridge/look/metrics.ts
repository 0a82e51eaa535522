import type { Family, Sample } from '../../telemetry/metrics.ts'
import type { Bridge } from '../bridge.ts'
import { durationBoundsMs } from './meters.ts'
import type { NodeMeter } from './meters.ts'

/** What a bridge tells Prometheus. Of nodes and outcomes that never came there is no series. */
export function bridgeMetrics(bridge: Bridge, isConnected: () => boolean): Family[] {
  const meters = [...bridge.meters()]
  return [
    ['sluice_hops_total', meters.flatMap(hopsOf)],
    ['sluice_calls_total', meters.flatMap(callsOf)],
    ['sluice_call_duration_seconds', meters.flatMap(durationsOf)],
    ['sluice_worker_instances', instancesOf(bridge)],
    ['sluice_worker_calls_in_flight', inFlightOf(bridge)],
    ['sluice_node_breakers_not_closed', breakersOf(bridge, meters)],
    ...limitsOf(bridge),
    ['sluice_bridge_messages_held', [{ labels: {}, value: bridge.held }]],
    ['sluice_bridge_nats_connected', [{ labels: {}, value: isConnected() ? 1 : 0 }]],
  ]
}

function hopsOf({ labels: { topology, node }, hops }: NodeMeter): Sample[] {
  return Object.entries(hops).flatMap(([verdict, value]) =>
    value === 0 ? [] : [{ labels: { topology, node, verdict }, value }],
  )
}

function callsOf({ labels, calls }: NodeMeter): Sample[] {
  return Object.entries(calls).flatMap(([outcome, value]) =>
    value === 0 ? [] : [{ labels: { ...labels, outcome }, value }],
  )
}

/** Buckets count what is at most as long, as Prometheus has it. */
function durationsOf({ labels, durations, durationSumMs }: NodeMeter): Sample[] {
  const total = durations.reduce((sum, count) => sum + count, 0)
  if (total === 0) return []
  let below = 0
  const buckets = durationBoundsMs.map((bound, n) => {
    below += durations[n] ?? 0
    return { labels: { ...labels, le: String(bound / 1_000) }, value: below, suffix: '_bucket' }
  })
  return [
    ...buckets,
    { labels: { ...labels, le: '+Inf' }, value: total, suffix: '_bucket' },
    { labels, value: durationSumMs / 1_000, suffix: '_sum' },
    { labels, value: total, suffix: '_count' },
  ]
}

function instancesOf(bridge: Bridge): Sample[] {
  const counts = new Map<string, Sample & { value: number }>()
  for (const { worker, state } of bridge.instances()) {
    const key = `${worker} ${state}`
    const known = counts.get(key) ?? { labels: { worker, state }, value: 0 }
    known.value++
    counts.set(key, known)
  }
  return [...counts.values()]
}

function inFlightOf(bridge: Bridge): Sample[] {
  const sums = new Map<string, number>()
  for (const { worker, inFlight } of bridge.instances()) sums.set(worker, (sums.get(worker) ?? 0) + inFlight)
  return [...sums].map(([worker, value]) => ({ labels: { worker }, value }))
}

function breakersOf(bridge: Bridge, meters: readonly NodeMeter[]): Sample[] {
  const names = new Map(meters.map(({ nodeId, labels }) => [nodeId, labels]))
  return bridge.breakers().flatMap(({ node: id, state }) => {
    const known = names.get(id)
    return known === undefined ? [] : [{ labels: { topology: known.topology, node: known.node, state }, value: 1 }]
  })
}

/** By service, never by tenant: so there are as many series as services. */
function limitsOf(bridge: Bridge): Family[] {
  const { looks, used } = bridge.limits()
  const waiting = new Map<string, number>()
  const away = new Map<string, number>()
  for (const look of looks) {
    if (look.key.kind === 'node') continue
    const { service } = look.key
    waiting.set(service, (waiting.get(service) ?? 0) + look.waiting)
    away.set(service, Math.max(away.get(service) ?? 0, look.isAway ? 1 : 0))
  }
  return [
    ['sluice_limit_permits_total', byService(used)],
    ['sluice_limit_waiting_calls', byService(waiting)],
    ['sluice_limit_away', byService(away)],
  ]
}

const byService = (values: ReadonlyMap<string, number>): Sample[] =>
  [...values].map(([service, value]) => ({ labels: { service }, value }))
