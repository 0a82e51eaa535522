/** How long every read takes: GET routes with each of their filters, one request after the other. */
import { fingerprintOf, nodeId, runId, tenantOf, topologyId, trashId } from './seed.ts'
import type { Amounts } from './seed.ts'

export interface Timing {
  readonly name: string
  readonly p50: number
  readonly p95: number
  readonly p99: number
}

/** Sends a GET and reads all of the answer. Throws for anything but a 200. */
export type Get = (path: string) => Promise<unknown>

/** Name → path of the n-th request: each asks for something else, as many users would. */
function readsOf({ topologies, runs, trash }: Amounts): Record<string, (n: number) => string> {
  const topology = (n: number): string => topologyId((n * 7919) % topologies)
  const run = (n: number): number => (n * 104_729) % runs
  const failure = (n: number): number => (n * 104_729) % trash
  const since = (n: number): string => new Date(Date.UTC(2026, 0, 1) + run(n) * 10_000).toISOString()
  const state = (states: readonly string[], n: number): string => states[n % states.length] ?? ''
  const dayAfter = (time: string): string => new Date(Date.parse(time) + 86_400_000).toISOString()
  const nameOf = (n: number): string => `topology-${String((n * 7919) % topologies).padStart(6, '0')}`
  const runStates = ['running', 'finished', 'failed', 'cancelled']
  const trashStates = ['open', 'replayed', 'discarded']
  return {
    topologies: () => '/api/topologies',
    'topologies?limit=500': () => '/api/topologies?limit=500',
    'topologies?after=': (n) => `/api/topologies?after=${encoded(nameOf(n))}`,
    'topologies/{id}': (n) => `/api/topologies/${topology(n)}`,
    'topologies/{name}': (n) => `/api/topologies/${nameOf(n)}`,
    'topologies/{t}/nodes': (n) => `/api/topologies/${topology(n)}/nodes`,
    'topologies/{t}/revisions': (n) => `/api/topologies/${topology(n)}/revisions`,
    'topologies/{t}/revisions/{n}': (n) => `/api/topologies/${topology(n)}/revisions/2`,
    'topologies/{t}/schema.bpmn': (n) => `/api/topologies/${topology(n)}/schema.bpmn`,
    'topologies/{t}/schema.json': (n) => `/api/topologies/${topology(n)}/schema.json`,
    'nodes/{id}': (n) => `/api/nodes/${nodeId((n * 7919) % topologies, n % 5)}`,
    runs: () => '/api/runs',
    'runs?limit=500': () => '/api/runs?limit=500',
    'runs?after=': (n) => `/api/runs?after=${encoded(`${Date.parse(since(n))}/${runId(run(n))}`)}`,
    'runs?topology=': (n) => `/api/runs?topology=${topology(n)}`,
    'runs?topology= (a third of all)': () => `/api/runs?topology=${topologyId(0)}`,
    'runs?topology=&state=': (n) => `/api/runs?topology=${topology(n)}&state=${state(runStates, n)}`,
    'runs?topology=&state= (a third of all)': (n) => `/api/runs?topology=${topologyId(0)}&state=${state(runStates, n)}`,
    'runs?node= (name)': () => '/api/runs?node=start',
    'runs?node= (id)': (n) => `/api/runs?node=${nodeId((n * 7919) % topologies, 0)}`,
    'runs?node= (none)': (n) => `/api/runs?node=nobody-${n}`,
    'runs?topology=&node=': (n) => `/api/runs?topology=${topology(n)}&node=start`,
    'runs?tenant=': (n) => `/api/runs?tenant=${tenantOf(n)}`,
    'runs?tenant= (none)': (n) => `/api/runs?tenant=nobody-${n}`,
    'runs?topology=&tenant=': (n) => `/api/runs?topology=${topologyId(0)}&tenant=${tenantOf(n)}`,
    'runs?tenant=&state=': (n) => `/api/runs?tenant=${tenantOf(n)}&state=${state(runStates, n)}`,
    'runs?state=': (n) => `/api/runs?state=${state(runStates, n)}`,
    'runs?since=': (n) => `/api/runs?since=${since(n)}`,
    'runs/{id}': (n) => `/api/runs/${runId(run(n))}`,
    trash: () => '/api/trash',
    'trash?after=': (n) => `/api/trash?after=${encoded(`${Date.parse(since(n))}/${trashId(failure(n))}`)}`,
    'trash?topology=': (n) => `/api/trash?topology=${topology(n)}`,
    'trash?topology=&state=': (n) => `/api/trash?topology=${topology(n)}&state=${state(trashStates, n)}`,
    'trash?topology=&state= (a third of all)': (n) =>
      `/api/trash?topology=${topologyId(0)}&state=${state(trashStates, n)}`,
    'trash?node= (name)': (n) => `/api/trash?node=store-${n % 50}`,
    'trash?node= (id)': (n) => `/api/trash?node=${nodeId((n * 7919) % topologies, 4)}`,
    'trash?run=': (n) => `/api/trash?run=${runId(run(n))}`,
    'trash?fingerprint=': (n) => `/api/trash?fingerprint=${fingerprintOf(n)}`,
    'trash?fingerprint=&state=': (n) => `/api/trash?fingerprint=${fingerprintOf(n)}&state=${state(trashStates, n)}`,
    'trash?state=': (n) => `/api/trash?state=${state(trashStates, n)}`,
    'trash?since=&until=': (n) => `/api/trash?since=${since(n)}&until=2030-01-01T00:00:00Z`,
    'trash?text= (frequent)': () => '/api/trash?text=no%20address',
    'trash?text= (a tenth)': () => '/api/trash?text=order%207',
    'trash?text= (one)': (n) => `/api/trash?text=order%20${failure(n)}%20has`,
    'trash?text= (none)': (n) => `/api/trash?text=nobody%20${n}`,
    'trash?text=&state=open (one)': (n) => `/api/trash?text=order%20${failure(n)}%20has&state=open`,
    'trash?text= (two letters)': () => '/api/trash?text=ss',
    'trash?tenant=': (n) => `/api/trash?tenant=${tenantOf(run(n))}`,
    'trash?tenant=&state=open': (n) => `/api/trash?tenant=${tenantOf(run(n))}&state=open`,
    'trash?body= (all)': () => '/api/trash?body=Brno',
    'trash?tenant=&body= (one)': (n) =>
      `/api/trash?tenant=${tenantOf(failure(n))}&body=${encoded(`"id":${failure(n)},`)}`,
    'trash?topology=&body= (none)': (n) => `/api/trash?topology=${topology(n)}&body=nowhere`,
    'trash?topology=&body= (none, a third of all)': () => `/api/trash?topology=${topologyId(0)}&body=nowhere`,
    'trash/{id}': (n) => `/api/trash/${trashId(failure(n))}`,
    'trash/groups': () => '/api/trash/groups',
    'trash/groups?limit=500': () => '/api/trash/groups?limit=500',
    'trash/groups?state=': (n) => `/api/trash/groups?state=${state(trashStates, n)}`,
    'trash/groups?state=open': () => '/api/trash/groups?state=open',
    'trash/groups?fingerprint=': (n) => `/api/trash/groups?fingerprint=${fingerprintOf(n)}`,
    'trash/groups?node= (name)': (n) => `/api/trash/groups?node=store-${n % 50}`,
    'trash/groups?topology=': (n) => `/api/trash/groups?topology=${topology(n)}`,
    'trash/groups?topology=&state=open (a third of all)': () =>
      `/api/trash/groups?topology=${topologyId(0)}&state=open`,
    'trash/groups?since= (a day)': (n) => `/api/trash/groups?since=${since(n)}&until=${dayAfter(since(n))}`,
    'trash/groups?tenant=': (n) => `/api/trash/groups?tenant=${tenantOf(run(n))}`,
    'trash/groups?text= (one)': (n) => `/api/trash/groups?text=order%20${failure(n)}%20has`,
    'trash/groups?text= (all rows are counted)': () => '/api/trash/groups?text=no%20address',
    workers: () => '/api/workers',
    'workers/{name}': (n) => `/api/workers/worker-${(n % 200) + 1}`,
    services: () => '/api/services',
    'services/{name}': (n) => `/api/services/service-${(n % 200) + 1}`,
    tokens: () => '/api/tokens',
    status: () => '/api/status',
    'status/topologies': () => '/api/status/topologies',
    'status/topologies?limit=500': () => '/api/status/topologies?limit=500',
    'status/topologies?after=': (n) => `/api/status/topologies?after=${encoded(nameOf(n))}`,
    queues: () => '/api/queues',
    'queues?limit=500': () => '/api/queues?limit=500',
    'queues?after=': (n) => `/api/queues?after=${encoded(`0/${nameOf(n)}`)}`,
    'queues?topology=': (n) => `/api/queues?topology=${topology(n)}`,
    metrics: () => '/metrics',
  }
}

const encoded = (text: string): string => Buffer.from(text).toString('base64url')

/** Times every read, `times` requests each after a few that warm up; one that is very slow is asked less often. */
export async function timeReads(get: Get, amounts: Amounts, times: number, only: string): Promise<Timing[]> {
  const timings: Timing[] = []
  for (const [name, path] of Object.entries(readsOf(amounts))) {
    if (!name.includes(only)) continue
    const first = await elapsed(() => get(path(1)))
    const count = first > 200 ? 10 : times
    for (let n = 0; n < count / 10; n++) await get(path(n + 2))
    const all: number[] = []
    for (let n = 0; n < count; n++) all.push(await elapsed(() => get(path(n + 20))))
    timings.push(timingOf(name, all))
  }
  return timings
}

async function elapsed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

export function timingOf(name: string, all: readonly number[]): Timing {
  const sorted = [...all].sort((a, b) => a - b)
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * part) - 1)] ?? NaN
  return { name, p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}
