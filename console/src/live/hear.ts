import type { Query, QueryClient, QueryKey } from '@tanstack/react-query'
import { keys } from '../api/keys.ts'
import { isObject } from '../parts/body/json.ts'
import type { EventKind } from './kinds.ts'
import { openPace } from './pace.ts'
import type { Pace } from './pace.ts'
import { hasFailed } from './shown.ts'

/** How full the queues of a node are. */
export interface Depth {
  readonly pending: number
  readonly inFlight: number
  readonly replies: number
}

/** By topology, then by node. Of a topology that isn't there nothing was told yet; of one that is, nodes that aren't there are empty. */
export type Depths = Readonly<Record<string, Readonly<Record<string, Depth>>>>

interface Told {
  readonly topologyId?: string
  readonly runId?: string
  readonly bulkId?: string
  readonly settled?: number
  readonly edited?: string
  readonly nodes?: Readonly<Record<string, Depth>>
  /** These are all that aren't empty. */
  readonly whole?: boolean
}

/** What is shown changes at most twice a second, whatever happens. */
const showMs = 500
/** What has to be asked for is asked for at most so often. */
const askMs = 2_000
/** What is asked of many things one by one is asked for less often. */
const glanceMs = 10_000
/** Lists of all topologies while messages flow: for their rates only. */
const listMs = 5_000
/** Rates are of the last ten seconds: after the last change they are looked at once more. */
const settleMs = 10_000
/** A page that opens is drawn first. */
const missingMs = 1_000

export interface Ears {
  event(kind: EventKind, data: unknown): void
  /** Events may be missing. */
  gap(): void
  /** They come again after they had stayed away, and none that is kept is missing; those of queues are not kept. */
  back(): void
  stop(): void
}

/** Brings events to what was asked for: patches it, or has it asked for again when somebody looks at it. */
export function openEars(client: QueryClient): Ears {
  const pace = openPace()
  const settling = new Map<string, ReturnType<typeof setTimeout>>()
  const again = (key: QueryKey): void => {
    const name = JSON.stringify(key)
    // Who asked before has its answer first, or a slow one would never come: it is asked for again after that.
    const look = (): void => {
      if (client.isFetching({ queryKey: key }) > 0) pace(name, askMs, look)
      else void client.invalidateQueries({ queryKey: key })
    }
    pace(name, askMs, look)
  }
  let missing: ReturnType<typeof setTimeout> | undefined
  const askAll = (): void => void client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' })
  const depths = patching(client, pace)
  const runs = (topologyId: string): void => {
    const predicate = ({ state: { data } }: Query): boolean => isOfRunUnderWay(data, topologyId)
    const look = (): void => void client.invalidateQueries({ predicate })
    // And once more: the recorder counts a moment after the queues have moved.
    for (let time = 0; time < 2; time++) pace(`runs of ${topologyId}`, askMs, look)
  }
  const askMissed = (): void => {
    const isMissed = (query: Query): boolean =>
      ofQueues.has(query.queryKey[0]) || isOfRunUnderWay(query.state.data, null)
    void client.invalidateQueries({ predicate: hasFailed })
    // Who asked before has its answer first: connections may break sooner than a slow one comes.
    void client.invalidateQueries(
      { predicate: (query) => isMissed(query) && !hasFailed(query) },
      { cancelRefetch: false },
    )
  }
  const glance = (): void => void client.invalidateQueries({ queryKey: ['service-glance'] })
  const settle = (topologyId: string): void => {
    clearTimeout(settling.get(topologyId))
    const look = (): void => {
      runs(topologyId)
      again(keys.queues(topologyId))
      again(keys.topologies)
      again(['service-state'])
      pace('glance', glanceMs, glance)
    }
    settling.set(topologyId, setTimeout(look, settleMs))
  }
  return {
    event(kind, data) {
      const told = data as Told
      if (kind === 'queue' && told.topologyId !== undefined && told.nodes) {
        const wasEmpty = depths.isEmpty(told.topologyId)
        depths.hear(told.topologyId, told.nodes, told.whole === true)
        // It is empty, and as far as is known it was before.
        if (wasEmpty && Object.keys(told.nodes).length === 0) return
        runs(told.topologyId)
        settle(told.topologyId)
        pace('glance', glanceMs, glance)
        pace('list', listMs, () => void client.invalidateQueries({ queryKey: keys.topologies }))
      }
      for (const key of concerned(kind, told)) again(key)
    },
    gap() {
      // All of them are told anew.
      depths.forget()
      client.setQueryData<Depths>(keys.depths, {})
      clearTimeout(missing)
      missing = setTimeout(askAll, missingMs)
    },
    back() {
      pace('missed', askMs, askMissed)
    },
    stop() {
      pace.stop()
      clearTimeout(missing)
      for (const timer of settling.values()) clearTimeout(timer)
    },
  }
}

/** Figures of runs have no event of their own: while one goes on, they move with the queues of its topology (null: any). */
function isOfRunUnderWay(data: unknown, topologyId: string | null): boolean {
  const isOf = (id: unknown): boolean => topologyId === null || id === topologyId
  const runs: unknown[] = Array.isArray(data) ? data : isObject(data) ? [data.run] : []
  return runs.some((run) => isObject(run) && run.state === 'running' && isOf(run.topologyId))
}

function patching(client: QueryClient, pace: Pace) {
  const news = new Map<string, { readonly nodes: Readonly<Record<string, Depth>>; readonly isWhole: boolean }>()
  const show = (): void => {
    client.setQueryData<Depths>(keys.depths, (known = {}) => {
      const patched = [...news].map(([id, { nodes, isWhole }]) => [id, isWhole ? nodes : { ...known[id], ...nodes }])
      news.clear()
      return { ...known, ...(Object.fromEntries(patched) as Depths) }
    })
  }
  return {
    hear(topologyId: string, nodes: Readonly<Record<string, Depth>>, isWhole: boolean): void {
      const before = isWhole ? undefined : news.get(topologyId)
      news.set(topologyId, { nodes: { ...before?.nodes, ...nodes }, isWhole: isWhole || before?.isWhole === true })
      pace('depths', showMs, show)
    },
    /** Whether nothing is known to wait there, counting what is about to be shown. */
    isEmpty(topologyId: string): boolean {
      const heard = news.get(topologyId)
      const shown = heard?.isWhole === true ? {} : client.getQueryData<Depths>(keys.depths)?.[topologyId]
      return Object.values({ ...shown, ...heard?.nodes }).every(
        ({ pending, inFlight, replies }) => pending + inFlight + replies === 0,
      )
    },
    forget: () => news.clear(),
  }
}

/** What only events of queues keep in step, whatever topology they are of. */
const ofQueues: ReadonlySet<unknown> = new Set([
  'queues',
  'why',
  'cursors',
  'cursor',
  'service-state',
  'service-glance',
  'topologies',
])

/** A page that was read has no event of its own: it moves a queue. */
const ofReading: readonly QueryKey[] = [keys.cursors(), ['cursor']]

function ofTrash({ settled = 0, edited }: Told): QueryKey[] {
  if (edited !== undefined) return [['trash'], keys.message(edited), keys.audit()]
  return [keys.topologies, ['trash'], ...ofReading, keys.status, ...(settled > 0 ? [keys.messages] : [])]
}

/** What is to be asked again. */
function concerned(kind: EventKind, told: Told): QueryKey[] {
  const { topologyId, runId, bulkId } = told
  const queues = topologyId === undefined ? [] : [keys.queues(topologyId)]
  const why = topologyId === undefined ? [['why']] : [keys.why(topologyId)]
  switch (kind) {
    case 'queue':
      return [...queues, ...why, ...ofReading, ['service-state']]
    case 'draft':
      return [keys.topologies, ['topology'], ['nodes'], keys.audit(), keys.status]
    case 'plan':
      return [
        ...[keys.topologies, ['topology'], ['nodes'], ...queues],
        ...[keys.services(), ['service-state'], keys.cron(), keys.checks(), keys.audit(), keys.status],
      ]
    case 'pause':
    case 'breaker':
      return [keys.topologies, ['topology'], ['nodes'], ...why, ...[keys.workers(), keys.audit(), keys.status]]
    case 'worker':
      return [keys.workers(), keys.checks(), keys.audit()]
    case 'service':
      return [keys.services(), ['service-state'], ['service-glance'], keys.checks(), keys.audit(), keys.status]
    case 'token':
      return [keys.tokens(), keys.audit()]
    case 'cursor':
      return [...ofReading, keys.audit()]
    case 'watermark':
      return [keys.watermarks(), ['watermark'], keys.audit()]
    case 'run':
      return [
        keys.topologies,
        ['runs'],
        ...ofReading,
        keys.watermarks(),
        ['watermark'],
        keys.cron(),
        ...(runId === undefined ? [] : [keys.run(runId)]),
      ]
    case 'trash':
      return ofTrash(told)
    case 'bulk':
      return [keys.bulks(), ...(bulkId === undefined ? [] : [keys.bulk(bulkId)])]
  }
}
