import { isAtLeast, reaches } from '../../call/reach.ts'
import type { Outlook, Reach } from '../../call/reach.ts'
import type { WorkerTrouble } from '../../queue/control.ts'
import { openPeers } from '../../queue/look/peers.ts'
import type { Queues } from '../../queue/open.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Directory } from '../directory.ts'
import type { Topologies } from '../reconcile.ts'
import { beginning, isAsking, isTaking, step, times } from './step.ts'
import type { Looked, Standing } from './step.ts'

/** For which workers this bridge takes no messages, since another bridge can call them and this one can't. See step.ts. */
export interface Yielding {
  /** Whether messages for this worker are taken. The topologies are told when that changes. */
  takes(worker: string): boolean
  /** Workers that this bridge can't call. */
  troubles(): WorkerTrouble[]
  close(): void
}

interface YieldingDeps {
  readonly bridgeId: string
  readonly queues: Pick<Queues, 'config' | 'connection'>
  readonly directory: Pick<Directory, 'outlooks' | 'reach'>
  /** What runs here: asked for later, since it asks `takes`. */
  readonly topologies: () => Pick<Topologies, 'calls' | 'takeAnew'>
  /** `takes` has another answer. */
  readonly onChange: () => void
  readonly log: Log
}

/** Only here is looked at workers, so that a call costs nothing. */
const lookEveryMs = 500
/** However many ask, the instances of a worker are asked for their health no more often. */
const answerAgainMs = 1_000

/** A worker that can't be called here. */
interface Trouble {
  standing: Standing
  outlook: Exclude<Outlook, { kind: 'can' }>
  /** RFC 3339 */
  readonly since: string
  /** When other bridges said last how well they can call it. */
  readonly shown: Map<Reach, number>
}

export function openYielding(deps: YieldingDeps): Yielding {
  const { queues, bridgeId, log, onChange } = deps
  const troubles = new Map<string, Trouble>()
  const takes = (worker: string): boolean => isTaking(troubles.get(worker)?.standing ?? takesAll)
  const peers = openPeers({
    connection: queues.connection,
    bridges: queues.config.bridgesName,
    id: bridgeId,
    answer: openAnswers(deps, (worker) => troubles.has(worker)),
    onAnswer: (worker, reach) => troubles.get(worker)?.shown.set(reach as Reach, performance.now()),
    log,
  })
  const look = (): void => {
    const now = performance.now()
    const known = new Map(deps.directory.outlooks())
    for (const name of troubles.keys()) if (!known.has(name)) known.set(name, null)
    for (const [worker, outlook] of known) {
      const took = takes(worker)
      follow(troubles, worker, outlook, now)
      if (took === takes(worker)) continue
      tell(log, worker, troubles.get(worker))
      deps.topologies().takeAnew(worker)
      onChange()
    }
  }
  const ask = (): void => {
    const now = performance.now()
    const stuck = [...troubles].filter(
      ([worker, { standing }]) => isAsking(standing, now) && deps.topologies().calls(worker),
    )
    if (stuck.length > 0) peers.ask(stuck.map(([worker]) => worker))
  }
  const timers = [setInterval(look, lookEveryMs).unref(), setInterval(ask, times.askEveryMs).unref()]
  return {
    takes,
    troubles: () =>
      [...troubles].map(([worker, { standing, outlook, since }]) => {
        return { worker, reason: outlook.reason, since, yielding: standing.phase !== 'taking' }
      }),
    close() {
      for (const timer of timers) clearInterval(timer)
      peers.close()
    },
  }
}

const takesAll = beginning(0)

/** Goes on with what is seen of the worker now; null: nothing is known of it. */
function follow(troubles: Map<string, Trouble>, worker: string, outlook: Outlook | null, now: number): void {
  if (outlook === null || outlook.kind === 'can') return void troubles.delete(worker)
  const known = troubles.get(worker)
  const since = new Date().toISOString()
  const trouble = known ?? { standing: beginning(now), outlook, since, shown: new Map<Reach, number>() }
  trouble.outlook = outlook
  trouble.standing = step(trouble.standing, { now, outlook, shownAt: shownAt(trouble, outlook.lacks) })
  troubles.set(worker, trouble)
}

function shownAt({ shown }: Trouble, lacks: Reach): Looked['shownAt'] {
  const enough = reaches.filter((reach) => isAtLeast(reach, lacks))
  const latest = Math.max(...enough.map((reach) => shown.get(reach) ?? -Infinity))
  return Number.isFinite(latest) ? latest : null
}

function tell(log: Log, worker: string, trouble: Trouble | undefined): void {
  const reason = trouble?.outlook.reason ?? null
  if (trouble?.standing.phase === 'yielding')
    log.warn('messages of a worker are left to other bridges, which can call it', { worker, reason })
  else log.info('messages of a worker are taken again', { worker, reason })
}

/** A bridge that is in trouble itself says nothing, nor does one that takes no messages for the worker. */
function openAnswers({ directory, topologies }: YieldingDeps, isInTrouble: (worker: string) => boolean) {
  const given = new Map<string, { readonly at: number; readonly reach: Promise<Reach | null> }>()
  return (worker: string): Promise<Reach | null> => {
    if (isInTrouble(worker) || !topologies().calls(worker)) return Promise.resolve(null)
    const now = performance.now()
    const known = given.get(worker)
    if (known !== undefined && now - known.at < answerAgainMs) return known.reach
    const fresh = { at: now, reach: directory.reach(worker) }
    given.set(worker, fresh)
    return fresh.reach
  }
}
