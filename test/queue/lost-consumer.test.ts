import { expect, test } from 'vitest'
import { inputQueues, replyConsumer, streamName } from '../../runtime/queue/names.ts'
import { isDrained } from '../support/engine.ts'
import type { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { echo, flow, records } from '../bridge/flow.ts'
import { compacting, janitorOf, subjectsOf } from './compact.ts'

function inputConsumer({ plan }: TestEngine, name: string): string {
  const node = plan.nodes.find((each) => each.name === name)
  const [queue] = node === undefined ? [] : inputQueues(plan.topologyId, node)
  return queue?.consumer ?? ''
}

const lose = (engine: TestEngine, consumer: string): Promise<boolean> =>
  engine.queues.connection.jsm.consumers.delete(streamName(engine.plan.topologyId), consumer)

test.each(['node', 'reply'] as const)(
  'a %s consumer that is deleted while data flows is made again: nothing is lost or doubled, and at most its prefetch is called for again',
  async (kind) => {
    const pages = 4
    const perPage = 100
    const { engine, worker } = await flow(
      [
        { name: 'list', type: 'batch' },
        { name: 'enrich', prefetch: 10 },
        { name: 'store', prefetch: 10 },
      ],
      (request) => {
        if (request.node !== 'list') return { ...echo(request), afterMs: 2 }
        const page = Number(request.headers['sluice-page'])
        const items = Array.from({ length: perPage }, (_, n) => page * perPage + n)
        return records(items, page < pages - 1 ? String(page + 1) : undefined)
      },
    )
    await engine.openBridge()
    await engine.start('{}')
    const stored = () => worker.seen.filter(({ node }) => node === 'store').length
    for (const target of [20, 120]) {
      await eventually(`${target} are stored`, () => stored() >= target)
      await lose(engine, kind === 'node' ? inputConsumer(engine, 'enrich') : replyConsumer(engine.id('list')))
    }
    const outcomes = await engine.outcomesUntil(isDrained)
    expect(outcomes.filter(({ kind }) => kind === 'ended')).toHaveLength(pages * perPage)
    expect(await subjectsOf(engine, `*.node.${engine.id('store')}.>`)).toHaveLength(pages * perPage)
    // Only what the lost consumer had handed out may be called for again: the prefetch of the node, each time.
    expect(worker.seen.length - pages - 2 * pages * perPage).toBeLessThanOrEqual(20)
  },
)

test('a consumer that is missing keeps its messages from the janitor, and is made again', async () => {
  const { engine } = await flow([{ name: 'a' }], () => ({ status: 429 }))
  await engine.start('1')
  await eventually('the message is before a', async () => (await subjectsOf(engine, '*.node.>')).length === 1)
  await lose(engine, inputConsumer(engine, 'a'))
  const janitor = janitorOf(engine)
  for (let round = 0; round < 3; round++) await compacting(engine, janitor)
  expect(await subjectsOf(engine, '*.node.>')).toHaveLength(1)
})
