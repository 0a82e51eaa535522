import { setTimeout as wait } from 'node:timers/promises'
import { liveBridges } from '../../queue/config.ts'
import type { Queues } from '../../queue/open.ts'
import { generationsOf } from '../../topology/lanes/generations.ts'
import { isEventNode } from '../../topology/plan.ts'
import type { Generation, Plan, WorkerNode } from '../../topology/plan.ts'
import type { OpenLanes } from './lanes.ts'

/**
 * When a bridge begins to send into a new generation. Every bridge that reads the older lanes must know of the new ones first, or it
 * would let a message pass what lies there. So a bridge goes on sending into the generation that it used, until all live bridges say
 * in their heartbeats that they have the plan (or a newer one); then it turns over.
 */
export interface Turnover {
  /** A plan is in force here: from now on messages go where it says, or there for a while yet. */
  apply(plan: Plan): void
  /** The newest plan by whose lanes everything is sent here; 0 before the first. */
  readonly revision: number
  close(): void
}

interface TurnoverDeps {
  readonly lanes: OpenLanes
  readonly queues: Pick<Queues, 'config' | 'connection'>
  /** Id of this bridge, who need not wait for itself. */
  readonly bridgeId: string
  readonly onTurned: () => void
}

const lookEveryMs = 100

export function openTurnover({ lanes, queues, bridgeId, onTurned }: TurnoverDeps): Turnover {
  const used = new Map<string, number>()
  let waiting = new AbortController()
  let revision = 0
  const turnOver = async (plan: Plan, signal: AbortSignal): Promise<void> => {
    while (!(await isEverywhere(queues, plan, bridgeId).catch(() => false))) {
      await wait(lookEveryMs, undefined, { signal, ref: false })
    }
    if (signal.aborted) return
    for (const node of plan.nodes) if (!isEventNode(node)) used.set(node.id, node.generation)
    lanes.use(plan)
    revision = plan.revision
    onTurned()
  }
  return {
    get revision() {
      return revision
    },
    apply(plan) {
      waiting.abort()
      const sending = new Map<string, Generation>()
      for (const node of plan.nodes) {
        if (isEventNode(node)) continue
        const generation = generationToUse(node, used.get(node.id))
        used.set(node.id, generation.generation)
        if (generation.generation !== node.generation) sending.set(node.id, generation)
      }
      lanes.use(plan, sending)
      if (sending.size === 0) {
        revision = plan.revision
        return
      }
      waiting = new AbortController()
      // Aborted: a newer plan came, or the bridge stops.
      turnOver(plan, waiting.signal).catch(() => undefined)
    },
    close: () => waiting.abort(),
  }
}

/** The one that was used before, as long as there is one; a bridge that just came takes the oldest, which all others know. */
function generationToUse(node: WorkerNode, used: number | undefined): Generation {
  const all = generationsOf(node)
  return all.find(({ generation }) => generation === used) ?? all[0] ?? node
}

/** Do all live bridges have the plan, or a newer one? `own` need not be asked: it has. */
export async function isEverywhere(
  queues: TurnoverDeps['queues'],
  { topologyId, revision }: Plan,
  own: string,
): Promise<boolean> {
  const bridges = await liveBridges(queues)
  return bridges.every(({ id, revisions }) => id === own || (revisions[topologyId] ?? 0) >= revision)
}
