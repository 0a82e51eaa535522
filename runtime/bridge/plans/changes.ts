import { setTimeout as wait } from 'node:timers/promises'
import { textOf } from '../../errors.ts'
import type { Connection } from '../../queue/connection.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Plan } from '../../topology/plan.ts'

/**
 * The plans that come, one change of a topology after the other. A change:
 *
 *   put → being applied ⇄ failed, tried again → applied
 *              ↓ a newer one was put, or the bridge stops
 *           given up
 *
 * One that can't be applied (NATS is away, or this version doesn't understand it) never keeps a newer one out.
 */
export interface Changes {
  /** Null: the topology is to stop. */
  put(topologyId: string, plan: Plan | null): void
  /** Applies again what was put last for the topology. */
  again(topologyId: string): void
  /** Resolves when the newest that was put for the topology is applied, or given up. */
  settledOf(topologyId: string): Promise<void>
  /** Resolves when all that was put so far is applied, or given up. */
  settled(): Promise<void>
  /** Nothing is begun or tried again any more; resolves when nothing is under way. */
  close(): Promise<void>
}

interface Change {
  readonly plan: Plan | null
  readonly givingUp: AbortController
  readonly done: Promise<void>
}

interface Deps {
  readonly connection: Connection
  readonly log: Log
}

const retry = { firstMs: 1_000, mostMs: 15_000 }

/** @param apply may be called again after it failed halfway */
export function openChanges(apply: (topologyId: string, plan: Plan | null) => Promise<void>, deps: Deps): Changes {
  const changes = new Map<string, Change>()
  let isClosed = false
  const settled = async (): Promise<void> => void (await Promise.all([...changes.values()].map(({ done }) => done)))
  const put: Changes['put'] = (topologyId, plan) => {
    if (isClosed) return
    const before = changes.get(topologyId)
    before?.givingUp.abort()
    const givingUp = new AbortController()
    const work = (): Promise<void> => persist(() => apply(topologyId, plan), givingUp.signal, deps)
    changes.set(topologyId, { plan, givingUp, done: (before?.done ?? Promise.resolve()).then(work) })
  }
  return {
    put,
    again(topologyId) {
      const newest = changes.get(topologyId)
      if (newest !== undefined) put(topologyId, newest.plan)
    },
    async settledOf(topologyId) {
      let seen: Change | undefined
      while (seen !== changes.get(topologyId)) {
        seen = changes.get(topologyId)
        await seen?.done
      }
    },
    settled,
    async close() {
      isClosed = true
      for (const { givingUp } of changes.values()) givingUp.abort()
      await settled()
    },
  }
}

async function persist(work: () => Promise<void>, signal: AbortSignal, { connection, log }: Deps): Promise<void> {
  for (let delayMs = retry.firstMs; !signal.aborted; delayMs = Math.min(delayMs * 2, retry.mostMs)) {
    try {
      return await work()
    } catch (error) {
      log.error('a plan could not be applied, trying again', { error: textOf(error) })
      await wait(delayMs, undefined, { signal }).catch(() => undefined)
      await connection.whenConnected(signal).catch(() => undefined)
    }
  }
}
