import { expect, test } from 'vitest'
import { isDrained } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import type { Answer } from '../support/fake-worker.ts'
import { compacting, janitorOf, rangeOf } from '../queue/compact.ts'
import { openCuttable, withoutBridge } from './flow.ts'

const bodies = ['0', '1', '2', '3', '4']

/** a → b, both ordered, behind a bridge that can be cut off; the first call of the first message is answered when the test says so. */
async function withLateCall() {
  let answer = (_: Answer): void => undefined
  const late = new Promise<Answer>((resolve) => (answer = resolve))
  const { engine, worker } = await withoutBridge([{ name: 'a' }, { name: 'b' }], ({ node, body }, nth) => {
    if (node === 'b') return { status: 204 }
    return body === '0' && nth === 1 ? late : { body }
  })
  const cuttable = await openCuttable(engine)
  for (const body of bodies) await engine.start(body)
  await eventually('the call is open', () => worker.open === 1)
  return { engine, worker, ...cuttable, answer: () => answer({ body: '"late"' }) }
}

test.each(['while NATS is away', 'after it is back'])(
  'a call that is answered %s, when another bridge has made and settled it and all of that is compacted, changes nothing',
  async (when) => {
    const { engine, worker, bridge, proxy, mended, answer } = await withLateCall()
    proxy.cut()
    await eventually('the bridge is away', () => !bridge.ready)
    await engine.openBridge()
    await engine.outcomesUntil(
      (all) => isDrained(all) && all.filter(({ kind }) => kind === 'ended').length === bodies.length,
    )
    const janitor = janitorOf(engine)
    await eventually('all is compacted', async () => {
      await compacting(engine, janitor)
      const { first, last } = await rangeOf(engine)
      return first > last
    })
    const settled = await rangeOf(engine)
    if (when === 'while NATS is away') answer()
    await mended()
    answer()
    await eventually('the late call is over', () => worker.open === 0 && bridge.held === 0)
    expect(await rangeOf(engine)).toEqual(settled)
    expect(worker.seen.filter(({ node }) => node === 'b').map(({ body }) => body)).toEqual(bodies)
    expect(worker.seen.filter(({ node, body }) => node === 'a' && body === '0')).toHaveLength(2)
  },
)
