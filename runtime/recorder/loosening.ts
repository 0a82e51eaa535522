import { isDeepStrictEqual } from 'node:util'
import { setTimeout as wait } from 'node:timers/promises'
import { textOf } from '../errors.ts'
import { SharedCell } from '../limiter/cell.ts'
import { noPermits } from '../limiter/permits.ts'
import type { PermitState } from '../limiter/permits.ts'
import { limitId, tiersOf } from '../limiter/rules.ts'
import type { Tier } from '../limiter/tiers.ts'
import { closeTurns, takeTurns } from '../limiter/turns.ts'
import type { ConfigChange } from '../queue/config.ts'
import type { Turned } from '../queue/look/later.ts'
import { moveTurns } from '../queue/look/later.ts'
import type { Queues } from '../queue/open.ts'
import type { Log } from '../telemetry/log.ts'
import type { ServiceLimits } from '../topology/limits/limits.ts'
import { isEventNode } from '../topology/plan.ts'
import type { Plan } from '../topology/plan.ts'

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
/** Bridges have heard of a change by then. */
const heardMs = 2_000
/** Less isn't worth a write. */
const gainMs = 1_000
/** Keys that are known at a time. */
const keysMax = 1_000

export function openLoosening(deps: Deps, signal: AbortSignal): Loosening {
  const changed = new Map<string, ServiceLimits | null>()
  const plans = new Map<string, Plan>()
  const change = (one: ConfigChange): void => {
    if (one.kind === 'service') changed.set(one.name, one.limits)
    if (one.kind !== 'plan') return
    if (one.plan === null) plans.delete(one.topologyId)
    else plans.set(one.topologyId, one.plan)
  }
  const round = async (): Promise<void> => {
    for (const [name, limits] of [...changed]) {
      await follow(deps, name, limits, { plans, signal })
      // What changed meanwhile is followed next.
      if (changed.get(name) === limits) changed.delete(name)
    }
  }
  return { change, done: keepFollowing(deps, round, signal) }
}

async function keepFollowing({ queues, log }: Deps, round: () => Promise<void>, signal: AbortSignal): Promise<void> {
  const rest = (): Promise<boolean> => wait(lookEveryMs, true, { signal }).catch(() => false)
  while (await rest()) {
    if (!queues.connection.connected) continue
    await round().catch((error: unknown) => {
      if (!signal.aborted) log.warn('turns at limits that were changed are moved again', { error: textOf(error) })
    })
  }
}

interface Around {
  readonly plans: ReadonlyMap<string, Plan>
  readonly signal: AbortSignal
}

async function follow(
  { queues, log }: Deps,
  name: string,
  limits: ServiceLimits | null,
  around: Around,
): Promise<void> {
  const note = new SharedCell<Moved>(queues.limits.cells, `moved.${name}`, { limits: null })
  const goal = limits ?? 'removed'
  const put = (moved: Moved): Promise<{ state: Moved; isNew: boolean }> =>
    note.update((state) => (isDeepStrictEqual(state, moved) ? { state, isNew: false } : { state: moved, isNew: true }))
  if (isDeepStrictEqual((await note.update((state) => ({ state }))).state.limits, goal)) return
  await put({ limits: null })
  let count = await moveAll(queues, name, limits, around)
  await wait(heardMs, undefined, { signal: around.signal })
  count += await moveAll(queues, name, limits, around)
  await put({ limits: goal })
  if (count > 0)
    log.info('messages that waited for a limit come sooner, since it was changed', { service: name, count })
}

async function moveAll(
  queues: Queues,
  name: string,
  limits: ServiceLimits | null,
  { plans, signal }: Around,
): Promise<number> {
  const turns = await openTurns(queues, name, limits)
  let count = 0
  for (const [topologyId, plan] of plans) {
    const costs = new Map(plan.nodes.flatMap((node) => (isEventNode(node) ? [] : [[node.id, node.limitCost ?? 1]])))
    count += await moveTurns(queues, topologyId, async ({ nodeId, limit, at }: Turned) => {
      signal.throwIfAborted()
      if (limit.service !== name) return null
      const sooner = await turns.next(limit.who, costs.get(nodeId) ?? 1)
      return sooner < Date.parse(at) - gainMs ? new Date(sooner).toISOString() : null
    })
  }
  await turns.close()
  return count
}

/** A key whose messages get their turns anew. */
interface Line {
  readonly cell: SharedCell<PermitState>
  /** No turn is sooner. */
  readonly from: number
  state: PermitState
}

interface NewTurns {
  /** Milliseconds of the epoch. */
  next(who: string | null, cost: number): Promise<number>
  /** Who is put off from now on comes after all of them. */
  close(): Promise<void>
}

/** Keeps the lines of so many tenants in memory, and lets those go that came first. */
async function openTurns(queues: Queues, service: string, limits: ServiceLimits | null): Promise<NewTurns> {
  const tiers: readonly Tier[] = limits === null ? [] : tiersOf(limits, 'tenant')
  const limited = await queues.limits.limited()
  const lines = new Map<string, Line>()
  const store = async (id: string, { cell, state: { line, turn } }: Line): Promise<void> => {
    lines.delete(id)
    if (line !== undefined) await cell.update((state) => ({ state: { ...state, line, turn } }))
  }
  const open = async (id: string): Promise<Line> => {
    const [first] = lines
    if (lines.size >= keysMax && first !== undefined) await store(...first)
    const cell = new SharedCell(queues.limits.cells, id, noPermits)
    const { state } = await cell.update((known) => ({ state: known }))
    const from = Math.max(Date.now(), Date.parse(limited.get(id)?.until ?? '') || 0)
    const line = { cell, from, state: closeTurns(state, 0) }
    lines.set(id, line)
    return line
  }
  return {
    async next(who, cost) {
      const id = limitId({ kind: 'service', service, who, isOwn: true })
      const line = lines.get(id) ?? (await open(id))
      if (tiers.length === 0) return line.from
      const { state, instants } = takeTurns(line.state, tiers, line, [cost])
      line.state = state
      return instants[0] ?? line.from
    },
    async close() {
      for (const one of [...lines]) await store(...one)
    },
  }
}
