import { onTestFinished } from 'vitest'
import { openBulks } from '../../../runtime/api/api.ts'
import type { Bulks } from '../../../runtime/api/actions/bulk/bulks.ts'
import { silentLog } from '../../../runtime/telemetry/log.ts'
import { eventually } from '../../support/eventually.ts'
import type { FakeWorker } from '../../support/fake-worker.ts'
import type { Answer, Body, TestApi } from '../open.ts'
import { bridgeOf, callsOf, ended, orders, start } from '../running.ts'

/** A bulk as the API shows it. */
export interface Shown extends Body {
  readonly step: string
  readonly messages: Record<string, number>
  readonly stoppedBecause: string | null
  readonly waitsFor: string | null
  readonly finishedAt: string | null
}

export interface World {
  readonly t: TestApi
  readonly worker: FakeWorker
  /** What the worker does with a record at `b`; at first it refuses all. */
  takes(decide: (body: string) => boolean): void
  /** Bodies that `b` was called with, since the bulks began. */
  called(): string[]
  readonly run: string
}

/** A whole engine with `count` messages in Trash, `{"n":0}` and so on, of the tenant ann, before the node `b` of `orders`. */
export async function failed(count: number, more: Record<string, unknown> = {}): Promise<World> {
  let decide: (body: string) => boolean = () => false
  const records = JSON.stringify(Array.from({ length: count }, (_, n) => ({ n })))
  const { t, worker } = await orders(
    ({ node, body }) => {
      if (node === 'a')
        return { status: 200, headers: { 'sluice-emit': 'records', 'content-type': 'application/json' }, body: records }
      return decide(body)
        ? { status: 204 }
        : {
            status: 422,
            headers: { 'content-type': 'application/problem+json' },
            body: JSON.stringify({ title: `Order ${body} not wanted` }),
          }
    },
    { b: { prefetch: 10, retry: { attempts: 1 }, ...more } },
  )
  await bridgeOf(t)
  const run = await start(t, 1, 'ann')
  await ended(t, run)
  const before = callsOf(worker).length
  return {
    t,
    worker,
    run,
    takes: (how) => (decide = how),
    called: () =>
      callsOf(worker)
        .slice(before)
        .map(({ body }) => body),
  }
}

export function control({ t }: Pick<World, 't'>): Bulks {
  const bulks = openBulks({ store: t.store, queues: t.queues.control, events: t.queues.events, log: silentLog })
  onTestFinished(() => bulks.close())
  return bulks
}

export async function bulk({ t }: Pick<World, 't'>, json: unknown): Promise<Shown> {
  const answer: Answer = await t.post('/api/trash/bulk', json)
  if (answer.status !== 202) throw new Error(answer.text)
  return answer.body as Shown
}

export const until = ({ t }: Pick<World, 't'>, id: string, is: (bulk: Shown) => boolean): Promise<Shown> =>
  eventually('the bulk is there', async () => {
    const { body } = await t.get(`/api/trash/bulk/${id}`)
    return is(body as Shown) && (body as Shown)
  })

export const outcomes = async ({ t }: Pick<World, 't'>, id: string): Promise<Record<string, unknown>[]> =>
  (await t.get(`/api/trash/bulk/${id}/messages?limit=500`)).body.items as never
