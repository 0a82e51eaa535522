import { setTimeout as delay } from 'node:timers/promises'
import { dataOf } from '../../../client/answer.ts'
import type { Engine } from '../../../client/engine.ts'
import type { Bulk, BulkRequest } from '../../../client/openapi.d.ts'
import { grouped, plain } from '../../terminal/print.ts'
import { openProgress } from '../../terminal/progress.ts'

const pollMs = 500

export function createBulk(engine: Engine, body: BulkRequest): Promise<Bulk> {
  return dataOf(engine.POST('/api/trash/bulk', { body }))
}

export const getBulk = (engine: Engine, id: string): Promise<Bulk> =>
  dataOf(engine.GET('/api/trash/bulk/{id}', { params: { path: { id } } }))

/** Shows how a bulk goes until it has ended, or stopped or was paused and nothing of it is under way. */
export async function followBulk(engine: Engine, id: string): Promise<Bulk> {
  const progress = openProgress()
  for (;;) {
    const bulk = await getBulk(engine, id)
    const isOver = bulk.finishedAt !== null || (bulk.state !== 'running' && bulk.messages.underWay === 0)
    if (isOver) progress.end(lineOf(bulk))
    else progress.show(lineOf(bulk))
    if (isOver) return bulk
    await delay(pollMs)
  }
}

/** Everything went as it was meant to. */
export const isWell = ({ state, messages: { failedAgain, refused, cancelled } }: Bulk): boolean =>
  state === 'finished' && failedAgain + refused + cancelled === 0

export function lineOf(bulk: Bulk): string {
  const { state, action, step, messages, waitsFor, stoppedBecause, ratePerSecondNow } = bulk
  const { total, waiting, underWay, done, failedAgain, refused, discarded, cancelled } = messages
  const isCanary = state === 'running' && action === 'replay' && step !== 'all'
  const counts = action === 'replay' ? { done, 'failed again': failedAgain } : { discarded }
  const rare = { refused, cancelled, 'under way': underWay, waiting }
  const said = [...Object.entries(counts), ...Object.entries(rare).filter(([, count]) => count > 0)].map(
    ([what, count]) => `${grouped(count)} ${what}`,
  )
  const rate = state === 'running' && ratePerSecondNow > 0 ? `, ${grouped(Math.round(ratePerSecondNow))}/s` : ''
  const why = stoppedBecause ?? waitsFor
  const canary = isCanary ? ` (canary: ${step})` : ''
  return `${state}${canary}: of ${grouped(total)} ${said.join(', ')}${rate}${why === null ? '' : `; ${plain(why)}`}`
}
