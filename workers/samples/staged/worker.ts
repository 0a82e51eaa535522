import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { many, worker } from '@sluiceway/worker'
import type { Call } from '@sluiceway/worker'
import { enrich, normalise, parse, validate } from './stages.ts'
import type { Line, Order, PricedOrder } from './stages.ts'

const folder = process.env.STAGED_FOLDER ?? 'orders'
/** What the price service takes for an answer: the bottleneck. */
const enrichMs = Number(process.env.STAGED_ENRICH_MS ?? 50)

/** Five stages, each a node with a queue of its own: parse → normalise → validate → enrich → write. */
export default worker({ name: 'staged', version: '1.0.0' })
  .custom('parse', ({ text }) => many(parse(text)))
  .custom('normalise', ({ body }: Call<Line>) => normalise(body))
  .custom('validate', ({ body }: Call<Order>) => validate(body))
  .connector('enrich', async ({ body }: Call<Order>) => {
    await delay(enrichMs)
    return enrich(body)
  })
  .connector('write', async ({ body }: Call<PricedOrder>) => {
    await mkdir(folder, { recursive: true })
    // Named by the order, so writing it again after a crash changes nothing.
    await writeFile(join(folder, `${body.id}.json`), `${JSON.stringify(body)}\n`)
  })
