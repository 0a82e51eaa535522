import { eventually } from '../support/eventually.ts'
import { fakeWorker } from '../support/fake-worker.ts'
import type { Answer, FakeWorker, Seen } from '../support/fake-worker.ts'
import { dataOf } from '../../runtime/client/answer.ts'
import type { Engine } from '../../runtime/client/engine.ts'

export interface Shop {
  readonly worker: FakeWorker
  /** Starts a run, and gives its id. */
  start(): Promise<string>
  /** Pages from this one on aren't answered until `release`. */
  holdFrom(page: number): void
  release(): void
}

const manifest = JSON.stringify({
  protocol: 1,
  worker: 'shop',
  version: '1.4.2',
  nodes: [
    { name: 'list', type: 'batch', defaults: { prefetch: 50 } },
    { name: 'store', type: 'connector', path: '/nodes/store', service: 'shopify' },
  ],
})

/** The topology `orders`: it reads five pages (list) and stores their records (store, with the service shopify); and a schedule. */
export async function openShop(engine: Engine): Promise<Shop> {
  let heldFrom = Infinity
  const held: (() => void)[] = []
  const script = async ({ node, headers, body }: Seen): Promise<Answer> => {
    if (node === 'store') return stored(body)
    const page = Number(headers['sluice-page'])
    if (page >= heldFrom && headers['sluice-try'] === undefined)
      await new Promise<void>((resolve) => held.push(resolve))
    return pageAt(headers['sluice-cursor'], page)
  }
  const worker = await fakeWorker(script, 0, () => ({
    headers: { 'content-type': 'application/json' },
    body: manifest,
  }))
  await dataOf(engine.POST('/api/workers', { body: { name: 'shop', urls: [worker.url], dialect: 'native' } }))
  const limits = [{ rate: 1_000, per: 'second' as const }]
  await dataOf(engine.POST('/api/services', { body: { name: 'shopify', limits } }))
  await dataOf(engine.POST('/api/topologies', { body: document }))
  const params = { path: { topology: 'orders' } }
  await dataOf(engine.POST('/api/topologies/{topology}/publish', { params }))
  return {
    worker,
    async start() {
      const { runId } = await dataOf(engine.POST('/api/topologies/{topology}/run', { params, body: { node: 'begin' } }))
      const { items } = await eventually('the reading is shown', async () => {
        const found = await dataOf(engine.GET('/api/cursors', { params: { query: { run: runId } } }))
        return found.items.length > 0 && found
      })
      return items[0]?.id ?? ''
    },
    holdFrom: (page) => (heldFrom = page),
    release() {
      heldFrom = Infinity
      for (const go of held.splice(0)) go()
    },
  }
}

const document = {
  name: 'orders',
  nodes: [
    { name: 'begin', type: 'start' as const },
    { name: 'every-night', type: 'cron' as const, cron: '30 2 * * *', timezone: 'Europe/Prague' },
    { name: 'list', type: 'batch' as const, worker: 'shop', emit: 'records', watermark: { lookBackMs: 60_000 } },
    { name: 'store', type: 'connector' as const, worker: 'shop', service: 'shopify', prefetch: 5 },
  ],
  edges: [
    { from: 'begin', to: 'list' },
    { from: 'every-night', to: 'list' },
    { from: 'list', to: 'store' },
  ],
}

const lastPage = 4

function pageAt(cursor: string | string[] | undefined, page: number): Answer {
  const at = cursor === undefined ? 0 : Number(String(cursor).slice('page-'.length))
  const more: Record<string, string> =
    at === lastPage ? { 'sluice-watermark': '2026-03-01T10:00:00Z' } : { 'sluice-cursor': `page-${at + 1}` }
  const headers = { 'content-type': 'application/json', 'sluice-progress': `${at + 1}/${lastPage + 1}`, ...more }
  return { headers, body: JSON.stringify([{ id: page, name: `order ${page}` }]) }
}

/** One of them can't be stored. */
function stored(body: string): Answer {
  if (!body.includes('"id":3')) return { status: 204 }
  const problem = JSON.stringify({ title: 'No such customer', detail: 'order 3 has no customer' })
  return { status: 422, headers: { 'content-type': 'application/problem+json' }, body: problem }
}
