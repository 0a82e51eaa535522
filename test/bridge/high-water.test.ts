import { expect, test } from 'vitest'
import { isDrained } from '../support/engine.ts'
import type { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { records, withoutBridge } from './flow.ts'

const pages = 10
const perPage = 10
const mark = 30

/** list → store, over two bridges; `store` refuses while it is broken. */
async function listing(isBroken: () => boolean): Promise<TestEngine> {
  const { engine } = await withoutBridge(
    [
      { name: 'list', type: 'batch', prefetch: 3 },
      { name: 'store', prefetch: 5 },
    ],
    (request) => {
      if (request.node !== 'list')
        return isBroken() ? { status: 429, headers: { 'retry-after': '1' } } : { status: 204 }
      const page = Number(request.headers['sluice-page'])
      const items = Array.from({ length: perPage }, (_, n) => page * perPage + n)
      return records(items, page < pages - 1 ? String(page + 1) : undefined)
    },
  )
  await engine.openBridge({ highWater: mark })
  await engine.openBridge({ highWater: mark })
  return engine
}

const waiting = async ({ queues, plan, id }: TestEngine) => {
  const depths = await queues.control.depths(plan)
  const at = (name: string) => depths.find(({ nodeId }) => nodeId === id(name))
  return { before: (at('store')?.pending ?? 0) + (at('store')?.inFlight ?? 0), replies: at('list')?.replies ?? 0 }
}

/** Looks on until nothing has moved for a good while; longer than bridges need to look again several times. */
async function untilStill(engine: TestEngine): Promise<{ before: number; replies: number }> {
  let last = { before: 0, replies: 0 }
  let since = performance.now()
  return eventually('nothing moves', async () => {
    const now = await waiting(engine)
    if (now.before !== last.before || now.replies !== last.replies) since = performance.now()
    last = now
    return performance.now() - since > 1_500 && now.before > mark && now
  })
}

async function expectHeldAndDrained(engine: TestEngine, mend: () => unknown): Promise<void> {
  const runs = 3
  for (let n = 0; n < runs; n++) await engine.start('{}')
  const { before, replies } = await untilStill(engine)
  // What its bridges hold comes on top, and what each of them added by its last look: a tenth of the mark, and a page.
  expect(before).toBeLessThanOrEqual(mark + 2 * 5 + 2 * (mark / 10 + perPage))
  expect(replies).toBeGreaterThan(0)
  await mend()
  const outcomes = await engine.outcomesUntil(
    (all) => isDrained(all) && all.filter(({ kind }) => kind === 'ended').length === runs * pages * perPage,
  )
  expect(outcomes.filter(({ kind }) => kind === 'trashed')).toHaveLength(0)
}

test('while a follower is paused two bridges stop at its high-water mark, and go on when it goes on', async () => {
  const engine = await listing(() => false)
  const { control } = engine.queues
  await control.setPaused(engine.id('store'), 'paused by a person')
  await expectHeldAndDrained(engine, () => control.setPaused(engine.id('store'), null))
})

test('while a follower takes nothing two bridges stop at its high-water mark, and go on when it is mended', async () => {
  const broken = { now: true }
  const engine = await listing(() => broken.now)
  await expectHeldAndDrained(engine, () => (broken.now = false))
})
