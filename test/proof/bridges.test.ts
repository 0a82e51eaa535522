import { expect, test } from 'vitest'
import { closing, echo } from '../bridge/flow.ts'
import { isDrained, startEngine } from '../support/engine.ts'
import type { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { fakeWorker } from '../support/fake-worker.ts'
import type { Answer, FakeWorker, Seen } from '../support/fake-worker.ts'
import { spawnRole } from '../support/role.ts'
import type { Role } from '../support/role.ts'

const patient = { timeoutMs: 40_000 }
/** For open calls, by default. */
const graceMs = 10_000

/** a → b, with bridges in processes of their own. */
async function flow(
  script: (request: Seen, nth: number) => Answer,
  prefetchOfA = 5,
): Promise<{
  engine: TestEngine
  worker: FakeWorker
  spawnBridge: () => Role
}> {
  const worker = await fakeWorker(script)
  closing.push(worker)
  const engine = await startEngine([
    { name: 'a', prefetch: prefetchOfA },
    { name: 'b', prefetch: 5 },
  ])
  closing.push(engine)
  await engine.setWorker(worker.url)
  const spawnBridge = (): Role => {
    const bridge = spawnRole('bridge', engine.namespace)
    closing.push(bridge)
    return bridge
  }
  return { engine, worker, spawnBridge }
}

test('what a killed bridge held flows again within six seconds, the lease', async () => {
  const { engine, worker, spawnBridge } = await flow((request, nth) =>
    nth === 1 && request.node === 'a' ? { fail: 'never' } : echo(request),
  )
  const killed = spawnBridge()
  await engine.start('1')
  await eventually('the call is open', () => worker.seen.length === 1, patient)
  await killed.end('SIGKILL')
  const begun = performance.now()
  await engine.openBridge()
  await engine.outcomesUntil(isDrained)
  expect(performance.now() - begun).toBeLessThan(6_000)
  expect(worker.seen.map(({ node }) => node)).toEqual(['a', 'a', 'b'])
})

test('a rolling restart by SIGTERM under load neither fails nor repeats a call', async () => {
  const slow = ({ node, body }: Seen): number => (node === 'b' && Number(body) % 40 === 0 ? 700 : 5)
  const { engine, worker, spawnBridge } = await flow((request) => ({ ...echo(request), afterMs: slow(request) }), 1)
  let bridges = [spawnBridge(), spawnBridge()]
  let count = 0
  const load = async (calls: number): Promise<void> => {
    for (let n = 0; n < 150; n++) await engine.start(String(count++))
    await eventually('it flows', () => worker.seen.length >= calls, patient)
  }
  await load(100)
  for (const round of [1, 2]) {
    const [old, other] = bridges
    const begun = performance.now()
    expect(await old?.end('SIGTERM')).toBe(0)
    expect(performance.now() - begun).toBeLessThan(graceMs)
    bridges = [...(other ? [other] : []), spawnBridge()]
    await load(100 + 300 * round)
  }
  const outcomes = await engine.outcomesUntil(
    (all) => isDrained(all) && all.filter(({ kind }) => kind === 'ended').length === count,
  )
  expect(outcomes.filter(({ kind }) => kind === 'trashed')).toEqual([])
  expect(worker.seen).toHaveLength(2 * count)
  const bodies = worker.seen.filter(({ node }) => node === 'a').map(({ body }) => Number(body))
  expect(bodies).toEqual([...Array(count).keys()])
})
