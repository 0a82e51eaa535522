import { setTimeout as wait } from 'node:timers/promises'
import { textOf } from '../../../errors.ts'
import { claimLook, foldMinute, insertFigures, unclaimLook } from '../../../store/queries/history/figures.ts'
import type { Figures } from '../../../store/queries/history/figures.ts'
import { revisionsInForce } from '../../../store/queries/topologies.ts'
import type { InForce } from '../../../store/queries/topologies.ts'
import { figureSteps } from '../../../store/schema/index.ts'
import type { ApiDeps } from '../../deps.ts'
import { eachOf } from '../look/each.ts'
import { newestPlan } from '../plans.ts'

/** Writes down every ten seconds what nodes do, so that it can be seen later. Of all controls one does each look. */
export interface FigureLog {
  /** Resolves when nothing is under way; twice is harmless. */
  close(): Promise<void>
}

type Deps = Pick<ApiDeps, 'store' | 'queues' | 'log'>

const closeMs = figureSteps.close * 1_000
const wideMs = figureSteps.wide * 1_000
/** A look takes so many topologies in at most, of those in which something happens. */
const topologiesMax = 500
/** That are looked at side by side. */
const atOnce = 8

export function openFigures(deps: Deps): FigureLog {
  const stopping = new AbortController()
  const running = keepLooking(deps, stopping.signal)
  return {
    async close() {
      stopping.abort()
      await running
    },
  }
}

async function keepLooking(deps: Deps, signal: AbortSignal): Promise<void> {
  const seen: Seen = new Map()
  while (await isNextStep(signal)) {
    // The nearest one: timers fire a little early, too.
    const at = new Date(Math.round(Date.now() / closeMs) * closeMs)
    await lookOnce(deps, at, seen).catch((error: unknown) =>
      deps.log.debug('what nodes do is not written down this time', { error: textOf(error) }),
    )
  }
}

/** At whole steps, which all controls share; false when it is over. */
async function isNextStep(signal: AbortSignal): Promise<boolean> {
  await wait(closeMs - (Date.now() % closeMs), null, { signal }).catch(() => null)
  return !signal.aborted
}

/** The last sequence of each topology's stream at the look before, and whether something was in its queues then. */
export type Seen = Map<string, { readonly mark: number; readonly isBusy: boolean }>

/** One look at all topologies in which something happens. Throws `Unavailable` when a part is away: then nobody has looked. */
export async function lookOnce(deps: Deps, at: Date, seen: Seen = new Map()): Promise<void> {
  if (!(await claimLook(deps.store, at))) return
  if (at.getTime() % wideMs === 0) await foldMinute(deps.store, at)
  try {
    await insertFigures(deps.store, at, await gather(deps, seen))
  } catch (error) {
    await unclaimLook(deps.store, at)
    throw error
  }
}

async function gather(deps: Deps, seen: Seen): Promise<Figures[]> {
  const { store, queues } = deps
  const [published, marks, { looks }] = await Promise.all([
    revisionsInForce(store),
    queues.marks(),
    queues.look({ topologyId: null, nodeId: null }),
  ])
  const rates = new Map<string, number>()
  const working = new Set<string>()
  for (const { topologyId, nodeId, settledPerSecond } of looks.flatMap(({ nodes }) => nodes)) {
    rates.set(nodeId, (rates.get(nodeId) ?? 0) + settledPerSecond)
    if (settledPerSecond > 0) working.add(topologyId)
  }
  const isActive = ({ id }: InForce): boolean => {
    const before = seen.get(id)
    return before === undefined || before.isBusy || working.has(id) || before.mark !== (marks.get(id)?.last ?? 0)
  }
  const active = published.filter(isActive).slice(0, topologiesMax)
  const found = await eachOf(active, atOnce, async (topology) => {
    const figures = await figuresIn(deps, topology, rates)
    seen.set(topology.id, { mark: marks.get(topology.id)?.last ?? 0, isBusy: figures.length > 0 })
    return figures
  })
  return found.flat()
}

/** Of nodes that do something, or before which something waits. */
async function figuresIn(
  { store, queues }: Deps,
  topology: InForce,
  rates: ReadonlyMap<string, number>,
): Promise<Figures[]> {
  const plan = await newestPlan(store, topology)
  if (plan === null) return []
  const depths = await queues.depths(plan)
  return depths
    .map(({ nodeId, pending, replies, inFlight }) => ({
      nodeId,
      waiting: pending + replies,
      inFlight,
      perSecond: rates.get(nodeId) ?? 0,
    }))
    .filter(({ waiting, inFlight, perSecond }) => waiting > 0 || inFlight > 0 || perSecond > 0)
}
