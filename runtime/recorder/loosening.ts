import { isDeepStrictEqual } from 'node:util'
import { setTimeout as wait } from 'node:timers/promises'
import { textOf } from '../errors.ts'
import { SharedCell } from '../limiter/cell.ts'
import type { ConfigChange } from '../queue/config.ts'
import type { Turned } from '../queue/look/later.ts'
import { moveTurns } from '../queue/look/later.ts'
import type { Queues } from '../queue/open.ts'
import type { Log } from '../telemetry/log.ts'
import type { ServiceLimits } from '../topology/limits/limits.ts'
import { isEventNode } from '../topology/plan.ts'
import type { Plan } from '../topology/plan.ts'
import { openTurns } from './turns.ts'
import type { NewTurns } from './turns.ts'

/**
 * A change of a limit acts on messages, too, that were given a turn by what was declared before: each gets the turn that it has now, if that is sooner.
 *
 *   changed ─▶ noted in the limits' bucket ─▶ moved ─▶ moved once more, for bridges that heard late ─▶ noted as done
 *
 * Every control does this, and one that starts finds what another that died has not noted as done. Several at once do no harm: a
 * message is moved on the condition that it is still where it was.
 */
export interface Loosening {
  change(change: ConfigChange): void
  /** Resolves when the signal has aborted and nothing is under way. */
  readonly done: Promise<void>
}

interface Deps {
  readonly queues: Queues
  readonly log: Log
}

/** By what all turns of a service go; `limits` null: by different ones, until they are moved. */
interface Moved {
  readonly limits: ServiceLimits | null | 'removed'
}

const lookEveryMs = 250
/** After a failure. */
const againMs = 2_000
/** Bridges have heard of a change by then. */
const heardMs = 2_000
/** Less isn't worth a write. */
const gainMs = 1_000

export function openLoosening(deps: Deps, signal: AbortSignal): Loosening {
  const changed = new Map<string, Declared>()
  const plans = new Map<string, Plan>()
  const change = (one: ConfigChange): void => {
    if (one.kind === 'service') changed.set(one.name, one.limits)
    if (one.kind !== 'plan') return
    if (one.plan === null) plans.delete(one.topologyId)
    else plans.set(one.topologyId, one.plan)
  }
  const round = async (): Promise<void> => {
    const now = new Map(changed)
    await follow(deps, now, { plans, signal })
    // What changed meanwhile is followed next.
    for (const [name, limits] of now) if (changed.get(name) === limits) changed.delete(name)
  }
  return { change, done: keepFollowing(deps, round, signal) }
}

async function keepFollowing({ queues, log }: Deps, round: () => Promise<void>, signal: AbortSignal): Promise<void> {
  const rest = (ms: number): Promise<boolean> => wait(ms, true, { signal }).catch(() => false)
  for (let restMs = lookEveryMs; await rest(restMs);) {
    restMs = lookEveryMs
    if (!queues.connection.connected) continue
    await round().catch((error: unknown) => {
      restMs = againMs
      if (!signal.aborted) log.warn('turns at limits that were changed are moved again', { error: textOf(error) })
    })
  }
}

interface Around {
  readonly plans: ReadonlyMap<string, Plan>
  readonly signal: AbortSignal
}

/** Null: nothing is. */
type Declared = ServiceLimits | null

/** All services that were changed together: delayed messages are read once for all of them. */
async function follow(
  { queues, log }: Deps,
  changed: ReadonlyMap<string, Declared>,
  { plans, signal }: Around,
): Promise<void> {
  const due = new Map<string, Declared>()
  for (const [name, limits] of changed) if (await isToMove(queues, name, limits)) due.set(name, limits)
  if (due.size === 0) return
  let count = await moveAll(queues, due, { plans, signal })
  await wait(heardMs, undefined, { signal })
  count += await moveAll(queues, due, { plans, signal })
  for (const [name, limits] of due) await note(queues, name, limits ?? 'removed')
  if (count > 0)
    log.info('messages that waited for a limit come sooner, since it was changed', { services: [...due.keys()], count })
}

/** If so it is noted that it is under way. */
async function isToMove(queues: Queues, name: string, limits: Declared): Promise<boolean> {
  const { state } = await noteOf(queues, name).update((known) => ({ state: known }))
  if (isDeepStrictEqual(state.limits, limits ?? 'removed')) return false
  await note(queues, name, null)
  return true
}

const noteOf = ({ limits: { cells } }: Queues, name: string): SharedCell<Moved> =>
  new SharedCell<Moved>(cells, `moved.${name}`, { limits: null })

async function note(queues: Queues, name: string, limits: Moved['limits']): Promise<void> {
  const moved: Moved = { limits }
  await noteOf(queues, name).update((state) => ({ state: isDeepStrictEqual(state, moved) ? state : moved }))
}

async function moveAll(queues: Queues, due: ReadonlyMap<string, Declared>, { plans, signal }: Around): Promise<number> {
  const limited = await queues.limits.limited()
  const all = new Map<string, NewTurns>()
  for (const [name, limits] of due) all.set(name, openTurns({ cells: queues.limits.cells, limited }, name, limits))
  let count = 0
  for (const [topologyId, plan] of plans) {
    const costs = new Map(plan.nodes.flatMap((node) => (isEventNode(node) ? [] : [[node.id, node.limitCost ?? 1]])))
    count += await moveTurns(queues, topologyId, async ({ nodeId, limit, at }: Turned) => {
      signal.throwIfAborted()
      const sooner = await all.get(limit.service)?.next(limit.who, costs.get(nodeId) ?? 1)
      return sooner !== undefined && sooner < Date.parse(at) - gainMs ? new Date(sooner).toISOString() : null
    })
  }
  for (const turns of all.values()) await turns.close()
  return count
}
