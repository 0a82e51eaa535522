import { setTimeout as wait } from 'node:timers/promises'
import { textOf } from '../../../errors.ts'
import { publicTopologies } from '../../../store/queries/topologies.ts'
import type { Topology } from '../../../store/queries/topologies.ts'
import type { ApiDeps } from '../../deps.ts'
import { tellBridges } from '../plans.ts'
import { dropEmpty } from './drop.ts'
import type { Progresses } from './drop.ts'
import { tidyDropped } from './late.ts'

type Deps = Pick<ApiDeps, 'store' | 'queues' | 'log'>

/**
 * What goes on after an answer was given: nodes that leave are dropped when they are empty, and bridges are told what a control has
 * committed that died before it told them. Every control does this.
 */
export interface Sweep {
  /** Resolves when nothing is under way; twice is harmless. */
  close(): Promise<void>
}

const lookEveryMs = 1_000
/** What costs more, and is seldom needed, in looks. */
const tidyEvery = 10

export function openSweep(deps: Deps): Sweep {
  const stopping = new AbortController()
  const running = keepSweeping(deps, stopping.signal)
  return {
    async close() {
      stopping.abort()
      await running
    },
  }
}

async function keepSweeping(deps: Deps, signal: AbortSignal): Promise<void> {
  const progresses: Progresses = new Map()
  const rest = (): Promise<boolean> => wait(lookEveryMs, true, { signal }).catch(() => false)
  for (let round = 0; await rest(); round++) {
    try {
      const topologies = await publicTopologies(deps.store)
      for (const topology of topologies) await dropEmpty(deps, topology, progresses)
      if (round % tidyEvery === 0) await tidy(deps, topologies)
    } catch (error) {
      deps.log.warn('nodes that leave are looked at again later', { error: textOf(error) })
    }
  }
}

async function tidy(deps: Deps, topologies: readonly Topology[]): Promise<void> {
  const bridges = await deps.queues.bridges()
  for (const topology of topologies) {
    const { id, revision } = topology
    if (bridges.some(({ revisions }) => (revisions[id] ?? 0) < revision)) await tellBridges(deps, id)
    await tidyDropped(deps, topology)
  }
}
