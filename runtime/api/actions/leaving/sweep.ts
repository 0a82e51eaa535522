import { setTimeout as wait } from 'node:timers/promises'
import { textOf } from '../../../errors.ts'
import type { Heartbeat } from '../../../queue/control.ts'
import { revisionsInForce } from '../../../store/queries/topologies.ts'
import type { InForce } from '../../../store/queries/topologies.ts'
import type { ApiDeps } from '../../deps.ts'
import { finishDiscards } from '../discard/finish.ts'
import type { Quiet } from '../discard/finish.ts'
import { tellBridges } from '../plans.ts'
import { openTold, tellUntold, tidyTold } from '../reading/tell.ts'
import type { Told } from '../reading/tell.ts'
import { finishReruns } from '../runs/finish.ts'
import { freePlaces } from '../upload/place.ts'
import { dropEmpty } from './drop.ts'
import type { Progresses } from './drop.ts'
import { forgetPauses } from './forget.ts'
import { tidyDropped } from './late.ts'
import type { QueuesEver } from './late.ts'
import { mendTold } from './told.ts'

type Deps = Pick<ApiDeps, 'store' | 'queues' | 'events' | 'log'>

/**
 * What goes on after an answer was given: nodes that leave are dropped when they are empty, topologies whose messages are cancelled
 * are finished, reruns are, and bridges are told what a control has committed that died before it told them. Every control does this.
 */
export interface Sweep {
  /** Resolves when nothing is under way; twice is harmless. */
  close(): Promise<void>
}

const lookEveryMs = 1_000
/** What costs more, and is seldom needed, in looks. */
const tidyEvery = 10
const warnEveryMs = 60_000

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

/** What is known from look to look. */
interface Known {
  readonly progresses: Progresses
  /** Revisions in which no node leaves, by topology id. */
  readonly quiet: Map<string, number>
  readonly ever: QueuesEver
  /** Topologies whose messages are being cancelled, and that have been found settled. */
  readonly discarded: Quiet
  /** How far bridges were told of watermarks and cursors. */
  readonly told: Told
}

async function keepSweeping(deps: Deps, signal: AbortSignal): Promise<void> {
  const known: Known = {
    progresses: new Map(),
    quiet: new Map(),
    ever: new Map(),
    discarded: new Map(),
    told: openTold(),
  }
  let warnedAtMs = -Infinity
  const rest = (): Promise<boolean> => wait(lookEveryMs, true, { signal }).catch(() => false)
  for (let round = 0; await rest(); round++) {
    const errors: unknown[] = []
    await lookOnce(deps, known, { isTidying: round % tidyEvery === 0, errors, signal }).catch((error: unknown) =>
      errors.push(error),
    )
    if (errors.length === 0 || performance.now() - warnedAtMs < warnEveryMs) continue
    warnedAtMs = performance.now()
    deps.log.warn('nodes that leave are looked at again later', { failures: errors.length, error: textOf(errors[0]) })
  }
}

/** A topology that fails doesn't keep the others from being looked at. */
async function lookOnce(deps: Deps, known: Known, { isTidying, errors, signal }: Round): Promise<void> {
  const topologies = await revisionsInForce(deps.store)
  const forEach = async (work: (topology: InForce) => Promise<void>): Promise<void> => {
    for (const each of topologies) if (!signal.aborted) await work(each).catch((error: unknown) => errors.push(error))
  }
  await forEach((each) => look(deps, known, each))
  if (!signal.aborted) await finishDiscards(deps, known.discarded, errors).catch((error: unknown) => errors.push(error))
  if (!signal.aborted) await tellUntold(deps, known.told, errors).catch((error: unknown) => errors.push(error))
  if (!signal.aborted) await finishReruns(deps, errors).catch((error: unknown) => errors.push(error))
  if (!isTidying || signal.aborted) return
  const inForce = new Set(topologies.map(({ id }) => id))
  for (const map of [known.quiet, known.ever]) for (const id of [...map.keys()]) if (!inForce.has(id)) map.delete(id)
  const bridges = await deps.queues.bridges()
  await forEach((each) => tidy(deps, each, bridges, known.ever))
  await forgetPauses(deps).catch((error: unknown) => errors.push(error))
  await freePlaces(deps).catch((error: unknown) => errors.push(error))
  await mendTold(deps).catch((error: unknown) => errors.push(error))
  await tidyTold(deps).catch((error: unknown) => errors.push(error))
  await deps.queues.forgetLimited(Date.now() - limitedKeptMs).catch((error: unknown) => errors.push(error))
}

/** For so long after it ended it is shown that a service asked to wait (429). */
const limitedKeptMs = 86_400_000

interface Round {
  readonly isTidying: boolean
  /** Of the topologies that failed. */
  readonly errors: unknown[]
  readonly signal: AbortSignal
}

async function look(deps: Deps, { progresses, quiet }: Known, topology: InForce): Promise<void> {
  if (quiet.get(topology.id) === topology.revision) return
  if (!(await dropEmpty(deps, topology, progresses))) quiet.set(topology.id, topology.revision)
}

async function tidy(deps: Deps, topology: InForce, bridges: readonly Heartbeat[], ever: QueuesEver): Promise<void> {
  const { id, revision } = topology
  if (bridges.some(({ revisions }) => (revisions[id] ?? 0) < revision)) await tellBridges(deps, id)
  await tidyDropped(deps, topology, ever)
}
