import type { Fault } from '../../errors.ts'
import type { Finding } from './finding.ts'

export interface Bridge {
  readonly id: string
  readonly host: string
  /** Older engines don't say. */
  readonly trouble?: readonly Trouble[]
}

interface Trouble {
  readonly kind: string
  readonly worker: string | null
  readonly topology: string | null
  readonly node: string | null
  readonly nodeId: string | null
  readonly reason: string
  readonly yielding: boolean
}

export interface Worker {
  readonly manifestFaults: readonly Fault[]
  readonly name: string
  readonly instances: readonly {
    readonly url: string
    readonly state: string
    readonly reason: string | null
    readonly seenBy?: readonly { readonly host: string; readonly state: string; readonly reason: string | null }[]
  }[]
}

/** What keeps bridges from some of their work. Workers that no bridge can call are found with the workers. */
export function bridgeFindings(bridges: readonly Bridge[]): Finding[] {
  return bridges.flatMap((bridge) =>
    (bridge.trouble ?? []).flatMap((trouble) => findingOf(`bridge ${bridge.id} on ${bridge.host}`, trouble)),
  )
}

function findingOf(who: string, { kind, worker, topology, node, nodeId, reason, yielding }: Trouble): Finding[] {
  const part = 'bridges'
  if (kind === 'secret-key') {
    const text = `${who}: ${reason}: start it with the key that control has`
    return [{ part, state: 'wrong', text }]
  }
  if (kind === 'node') {
    const name = node === null ? `node ${nodeId ?? '?'}` : `node ${node} of ${topology ?? '?'}`
    const text = `${who} holds back messages of ${name} (${reason}): look at its worker's log; it is tried again by itself`
    return [{ part, state: 'warning', text }]
  }
  if (kind === 'limit') return [{ part, state: 'warning', text: `${who}: ${reason}: look at the log of NATS` }]
  if (!yielding) return []
  const text = `${who} can't call the worker ${worker ?? '?'}, another bridge can (${reason}): mend its network or its settings, or stop it`
  return [{ part, state: 'wrong', text }]
}

const called = ['closed', 'ramping', 'unknown']

/** Instances that no bridge can call; a bridge that has not asked one yet doesn't know. */
export function workerFindings(workers: readonly Worker[]): Finding[] {
  const part = 'workers'
  return workers.flatMap((worker) => {
    const { name, instances } = worker
    const down = instances.filter(({ state }) => !called.includes(state))
    const isDown = down.length > 0 && !instances.some(({ state }) => ['closed', 'ramping'].includes(state))
    const state = isDown ? 'wrong' : 'warning'
    return [
      ...down.map(({ url, ...seen }): Finding => ({ part, state, text: `${name} ${whyDown(url, seen)}` })),
      ...partial(worker),
      ...worker.manifestFaults.map(({ path, message }): Finding => {
        return { part, state: 'wrong', text: `the manifest of ${name}: ${path} is ignored: ${message}` }
      }),
    ]
  })
}

function whyDown(url: string, { state, reason }: Pick<Worker['instances'][number], 'state' | 'reason'>): string {
  const why = reason === null ? '' : ` (${reason})`
  if (state === 'unusable') return `at ${url} can be used by no bridge${why}`
  return `is down at ${url}${why}: start it, or take the address out`
}

/** Instances that some bridges can call and others can't. */
function partial({ name, instances }: Worker): Finding[] {
  return instances.flatMap(({ url, state, seenBy = [] }) => {
    const without = seenBy.filter((view) => view.state !== 'ramping')
    if (!called.includes(state) || without.length === 0) return []
    const views = without.map((view) => `${view.host} (${view.reason ?? view.state})`).join(', ')
    return [{ part: 'workers', state: 'warning', text: `${name} at ${url} can't be called by the bridge on ${views}` }]
  })
}
