import { isDeepStrictEqual } from 'node:util'
import { setTimeout as wait } from 'node:timers/promises'
import { textOf } from '../errors.ts'
import { newId } from '../ids.ts'
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
 * So does the end of a pause (429) that a person lifted.
 *
 *   changed ─▶ noted in the limits' bucket ─▶ moved ─▶ moved once more, for bridges that heard late ─▶ noted as done
 *
 * Any control does this, one of them at a time: it says so in the note, and again every few seconds, and another takes over when it hasn't for long.
 * Two at once would each draw up the lines of turns, and put the one behind the other. No message would come twice: each is moved on the condition
 * that it is still where it was.
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
  /** Revision of the last wait that was lifted by then. */
  readonly lifted?: number
  /** Who moves them; `until`: when another one may, in milliseconds of the epoch. */
  readonly mover?: { readonly id: string; readonly until: number }
}

const lookEveryMs = 250
/** After a failure. */
const againMs = 2_000
/** Bridges have heard of a change by then. */
const heardMs = 2_000
/** Clocks of controls differ by much less. */
const leaseMs = 15_000
const renewMs = 3_000
/** Less isn't worth a write. */
const gainMs = 1_000

export function openLoosening(deps: Deps, signal: AbortSignal): Loosening {
  const known = new Map<string, Known>()
  const changed = new Map<string, Known>()
  const plans = new Map<string, Plan>()
  const learn = (name: string, what: Partial<Known>): Known => {
    const now = { limits: null, lifted: 0, ...known.get(name), ...what }
    known.set(name, now)
    return now
  }
  const change = (one: ConfigChange): void => {
    if (one.kind === 'service') changed.set(one.name, learn(one.name, { limits: one.limits }))
    if (one.kind === 'limited' && one.limited?.lifted === true && one.limited.key.kind === 'service') {
      const { service } = one.limited.key
      // A control that begins hears of all that was lifted, in the order of the keys.
      const now = learn(service, { lifted: Math.max(one.revision, known.get(service)?.lifted ?? 0) })
      // Nothing has turns where nothing is declared, or a control that begins hears of that next.
      if (now.limits !== null) changed.set(service, now)
    }
    if (one.kind !== 'plan') return
    if (one.plan === null) plans.delete(one.topologyId)
    else plans.set(one.topologyId, one.plan)
  }
  const me = newId()
  const round = async (): Promise<void> => {
    const now = new Map(changed)
    const others = await follow(deps, now, { plans, signal, me })
    // What changed meanwhile is followed next, and what others see to is looked at again.
    for (const [name, what] of now) if (changed.get(name) === what && !others.has(name)) changed.delete(name)
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
  /** Names this control. */
  readonly me: string
}

/** What turns of a service go by. */
interface Known {
  /** Null: nothing is declared. */
  readonly limits: ServiceLimits | null
  /** Revision of the last wait that was lifted; 0: none was. */
  readonly lifted: number
}

/**
 * All services that were changed together: delayed messages are read once for all of them. Resolves with those that another control sees to
 * now.
 */
async function follow(
  { queues, log }: Deps,
  changed: ReadonlyMap<string, Known>,
  around: Around,
): Promise<ReadonlySet<string>> {
  const due = new Map<string, Known>()
  const others = new Set<string>()
  for (const [name, known] of changed) {
    const claimed = await claim(queues, name, known, around.me)
    if (claimed === 'mine') due.set(name, known)
    if (claimed === 'theirs') others.add(name)
  }
  if (due.size === 0) return others
  let count = await moveAll(queues, due, around)
  await wait(heardMs, undefined, { signal: around.signal })
  count += await moveAll(queues, due, around)
  for (const [name, known] of due) if (!(await note(queues, name, known, around.me))) others.add(name)
  if (count > 0)
    log.info('messages that waited for a limit come sooner, since it was changed', { services: [...due.keys()], count })
  return others
}

/** Whose it is to move turns of a service; `nobodys`: all of them go by this. */
async function claim(
  queues: Queues,
  name: string,
  { limits, lifted }: Known,
  me: string,
): Promise<'mine' | 'theirs' | 'nobodys'> {
  const now = Date.now()
  const { is } = await noteOf(queues, name).update((state): { state: Moved; is: 'mine' | 'theirs' | 'nobodys' } => {
    const areMoved = isDeepStrictEqual(state.limits, limits ?? 'removed') && lifted <= (state.lifted ?? 0)
    if (areMoved) return { state, is: 'nobodys' }
    if (state.mover !== undefined && state.mover.id !== me && state.mover.until > now) return { state, is: 'theirs' }
    return { state: { limits: null, mover: { id: me, until: now + leaseMs } }, is: 'mine' }
  })
  return is
}

/** Says again that it is under way here. */
async function renew(queues: Queues, name: string, me: string): Promise<void> {
  await noteOf(queues, name).update((state) => {
    if (state.mover?.id !== me) throw new Error(`another control moves the turns of ${name}`)
    return { state: { ...state, mover: { id: me, until: Date.now() + leaseMs } } }
  })
}

const noteOf = ({ limits: { cells } }: Queues, name: string): SharedCell<Moved> =>
  new SharedCell<Moved>(cells, `moved.${name}`, { limits: null })

/** All turns go by this. False: another control has taken over meanwhile, and may be at something else. */
async function note(queues: Queues, name: string, { limits, lifted }: Known, me: string): Promise<boolean> {
  const { isMine } = await noteOf(queues, name).update((state): { state: Moved; isMine: boolean } => {
    const isMine = state.mover?.id === me
    return { state: isMine ? { limits: limits ?? 'removed', lifted } : state, isMine }
  })
  return isMine
}

async function moveAll(
  queues: Queues,
  due: ReadonlyMap<string, Known>,
  { plans, signal, me }: Around,
): Promise<number> {
  const limited = await queues.limits.limited()
  const all = new Map<string, NewTurns>()
  for (const [name, { limits }] of due) all.set(name, openTurns({ cells: queues.limits.cells, limited }, name, limits))
  let [count, renewAt] = [0, performance.now() + renewMs]
  const onRead = async (): Promise<void> => {
    signal.throwIfAborted()
    if (performance.now() < renewAt) return
    renewAt = performance.now() + renewMs
    for (const name of due.keys()) await renew(queues, name, me)
  }
  for (const [topologyId, plan] of plans) {
    await onRead()
    const costs = new Map(plan.nodes.flatMap((node) => (isEventNode(node) ? [] : [[node.id, node.limitCost ?? 1]])))
    const to = async ({ nodeId, limit, at }: Turned): Promise<string | null> => {
      const sooner = await all.get(limit.service)?.next(limit.who, costs.get(nodeId) ?? 1)
      return sooner !== undefined && sooner < Date.parse(at) - gainMs ? new Date(sooner).toISOString() : null
    }
    count += await moveTurns(queues, topologyId, { to, onRead })
  }
  for (const turns of all.values()) await turns.close()
  return count
}
