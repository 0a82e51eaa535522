/** Does what deeds say, over the API, again and again until it is answered. */
import { setTimeout as wait } from 'node:timers/promises'
import type { Answer, Api } from '../api.ts'
import type { Asked } from '../check/evidence.ts'
import { firstShape, refusing, removable, topologyName, topologyOf } from '../model.ts'
import type { Item, Shape } from '../model.ts'
import type { Deed } from './deeds.ts'

export interface Doer {
  readonly asked: Asked
  /** Resolves with what came of it. Rejects when the engine refuses what it must take. */
  do(deed: Deed): Promise<string>
  /** Null: the topology. */
  setPaused(node: string | null, paused: boolean): Promise<void>
  /** Ends every pause: a control that was stopped may have carried one out long after it was asked to. */
  resumeAll(): Promise<void>
}

interface Deps {
  readonly api: Api
  /** Node id → name. */
  readonly names: ReadonlyMap<string, string>
  /** Ids of the runs that aren't over. */
  unfinished(): readonly string[]
}

const againAfterMs = 300
/** The queues are made, on a busy machine in seconds, and a republish waits up to five more for the bridges. */
const publishWithinMs = 30_000
/** What is in the way of a publish is finished long before, also after an outage. */
const takenWithinMs = 240_000

export function openDoer({ api, names, unfinished }: Deps): Doer {
  const asked = { cancelled: new Set<string>(), replayed: new Set<string>(), removed: new Set<string>() }
  const paused = new Set<string | null>()
  const setPaused: Doer['setPaused'] = async (node, isPaused) => {
    paused.add(node)
    await expectOk(api.ask('PATCH', pathOf(node, names), { body: { paused: isPaused } }))
  }
  const graph = openGraph(api, names)
  return {
    asked,
    setPaused,
    async resumeAll() {
      for (const node of paused) await setPaused(node, false)
    },
    async do(deed) {
      switch (deed.kind) {
        case 'cancel':
          return cancel(api, pick(unfinished(), deed.which), asked.cancelled)
        case 'replay':
          return replay(api, deed, asked.replayed)
        case 'pause':
          await setPaused(deed.node, true)
          await wait(deed.forMs)
          await setPaused(deed.node, false)
          return 'resumed'
        case 'prefetch':
          return graph.setPrefetch(deed.node, deed.prefetch)
        case 'partitions':
          return graph.publish((shape) => ({ ...shape, partitions: deed.partitions }), 'refuse')
        case 'remove': {
          asked.removed.add(removable)
          const out = await graph.publish((shape) => ({ ...shape, without: removable }), deed.inFlight)
          await wait(deed.forMs)
          return `${out}, back: ${await graph.publish((shape) => ({ ...shape, without: null }), 'refuse')}`
        }
        default:
          return deed satisfies never
      }
    },
  }
}

const pick = <T>(items: readonly T[], which: number): T | undefined => items[Math.floor(which * items.length)]

function pathOf(node: string | null, names: ReadonlyMap<string, string>): string {
  if (node === null) return `/api/topologies/${topologyName}`
  const id = [...names].find(([, name]) => name === node)?.[0] ?? ''
  return `/api/nodes/${id}`
}

interface Refused {
  readonly detail: string
}

async function expectOk<T>(asking: Promise<Answer<T>>): Promise<T> {
  const { status, body } = await asking
  if (status >= 300) throw new Error(`the engine refuses it: ${status} ${JSON.stringify(body)}`)
  return body
}

async function cancel(api: Api, run: string | undefined, asked: Set<string>): Promise<string> {
  if (run === undefined) return 'none is under way'
  asked.add(run)
  for (;;) {
    const { status, body } = await api.ask<{ state: string } & Refused>('POST', `/api/runs/${run}/cancel`)
    if (status === 202) return `${run} is ${body.state}`
    if (status === 409) return body.detail
    if (status !== 404) throw new Error(`the run ${run} can't be cancelled: ${status} ${body.detail}`)
    // It isn't recorded yet.
    await wait(againAfterMs)
  }
}

interface Row {
  readonly id: string
  readonly node: string
  readonly body: Item
}

async function replay(api: Api, { which, isMended }: Deed & { kind: 'replay' }, asked: Set<string>): Promise<string> {
  const { items } = await expectOk(
    api.ask<{ items: Row[] }>('GET', `/api/trash?topology=${topologyName}&state=open&limit=200`),
  )
  const row = pick(
    items.filter(({ node }) => refusing.includes(node)),
    which,
  )
  if (row === undefined) return 'none is there'
  if (isMended) {
    const { body } = await expectOk(api.ask<Row>('GET', `/api/trash/${row.id}`))
    const { status, body: answer } = await api.ask<Refused>('PUT', `/api/trash/${row.id}`, {
      body: { body: { ...body, mended: true } },
    })
    if (status === 409) return answer.detail
  }
  asked.add(row.id)
  const { status, body } = await api.ask<Refused>('POST', `/api/trash/${row.id}/replay`)
  if (status === 202) return `${row.id}, which was at ${row.node}`
  if (status === 409) return body.detail
  throw new Error(`the row ${row.id} can't be replayed: ${status} ${body.detail}`)
}

type InFlight = 'refuse' | 'drain' | 'trash'

/** What was published last, and will be next: changes of it go one after the other. */
function openGraph(api: Api, names: ReadonlyMap<string, string>) {
  let shape = firstShape
  let turn: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const next = turn.then(work)
    turn = next.catch(() => undefined)
    return next
  }
  return {
    publish: (change: (shape: Shape) => Shape, inFlight: InFlight): Promise<string> =>
      inTurn(async () => {
        shape = change(shape)
        await expectOk(api.ask('PUT', `/api/topologies/${topologyName}`, { body: topologyOf(shape) }))
        return untilTaken(api, `/api/topologies/${topologyName}/publish?inFlight=${inFlight}`)
      }),
    setPrefetch: (node: string, prefetch: number): Promise<string> =>
      inTurn(async () => {
        shape = { ...shape, prefetch: new Map([...shape.prefetch, [node, prefetch]]) }
        await expectOk(api.ask('PATCH', pathOf(node, names), { body: { prefetch } }))
        return untilTaken(api, `/api/topologies/${topologyName}/republish`)
      }),
  }
}

/** A 409 passes: what is in the way is finished first. */
async function untilTaken(api: Api, path: string): Promise<string> {
  for (const since = performance.now(); ;) {
    const { status, body } = await api.ask<{ revision: number } & Refused>('POST', path, { withinMs: publishWithinMs })
    if (status < 300) return `revision ${body.revision}`
    if (status !== 409 || performance.now() - since > takenWithinMs)
      throw new Error(`it can't be published: ${status} ${JSON.stringify(body)}`)
    await wait(againAfterMs)
  }
}
