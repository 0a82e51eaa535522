import { expect, test } from 'vitest'
import { boundsOf } from '../../runtime/queue/janitor/bounds.ts'
import type { Plan } from '../../runtime/topology/plan.ts'
import { eventually } from '../support/eventually.ts'
import { echo, flow } from '../bridge/flow.ts'
import type { TestEngine } from '../support/engine.ts'
import { compacting, janitorOf, subjectsOf } from './compact.ts'

const plan = (...edges: readonly (readonly [string, string])[]): Plan => {
  const ids = [...new Set(edges.flat())]
  const nodes = ids.map((id) => ({ id, followers: edges.filter(([from]) => from === id).map(([, to]) => to) }))
  return { topologyId: 't', name: 't', revision: 1, nodes } as unknown as Plan
}
const floor = (nodeId: string | null, sequence: number) => ({ nodeId, sequence, waitingSince: null })

test('a bound is never above the floor of the node, of any node before it, or of the recorder', () => {
  const floors = [floor('s', 90), floor('a', 50), floor('a', 40), floor('z', 10), floor('b', 80), floor(null, 85)]
  const bounds = boundsOf([plan(['s', 'a'], ['s', 'z'], ['a', 'b'])], floors)
  expect(Object.fromEntries(bounds)).toEqual({ s: 85, a: 40, z: 10, b: 40 })
})

test('an edge of an older plan counts, also when plans together make a circle', () => {
  const floors = [floor('s', 90), floor('a', 50), floor('b', 30), floor(null, 90)]
  const bounds = boundsOf([plan(['s', 'a'], ['a', 'b']), plan(['s', 'b'], ['b', 'a'])], floors)
  expect(Object.fromEntries(bounds)).toEqual({ s: 90, a: 30, b: 30 })
})

test('a node that nobody reads has nothing that may go', () => {
  expect(boundsOf([plan(['s', 'a'])], [floor('s', 90), floor(null, 90)]).get('a')).toBe(0)
})

/** start → a → stuck, and a → free → end; `stuck` takes nothing. */
async function forked(): Promise<TestEngine> {
  const { engine } = await flow(
    [{ name: 'a', prefetch: 5 }, { name: 'stuck' }, { name: 'free', prefetch: 5 }, { name: 'end', prefetch: 5 }],
    (request) => (request.node === 'stuck' ? { status: 429, headers: { 'retry-after': '3600' } } : echo(request)),
    [
      { from: 'start', to: 'a' },
      { from: 'a', to: 'stuck' },
      { from: 'a', to: 'free' },
      { from: 'free', to: 'end' },
    ],
  )
  for (let n = 0; n < 10; n++) await engine.start(String(n))
  const ended = (all: readonly { kind: string }[]) => all.filter(({ kind }) => kind === 'ended').length === 10
  await engine.outcomesUntil(ended)
  return engine
}

const counts = async (engine: TestEngine) => ({
  inputs: (await subjectsOf(engine, '*.node.>')).length,
  replies: (await subjectsOf(engine, '*.reply.*')).length,
  outcomes: (await subjectsOf(engine, '*.ledger')).length,
  stuck: (await subjectsOf(engine, `*.node.${engine.id('stuck')}.>`)).length,
})

test('over its bytes, everything is deleted that is settled beside a stuck node, and nothing of it', async () => {
  const engine = await forked()
  const janitor = janitorOf(engine, { maxBytes: 1 })
  await eventually('only what is stuck is left', async () => {
    await compacting(engine, janitor)
    return (await subjectsOf(engine, '>')).length === 10
  })
  expect(await counts(engine)).toEqual({ inputs: 10, replies: 0, outcomes: 0, stuck: 10 })
  expect(janitor.reports().get(engine.plan.topologyId)).toMatchObject({
    isFull: true,
    heldBack: { nodeId: engine.id('stuck') },
  })
})

test('what the recorder has not written down stays, with everything that came of it', async () => {
  const engine = await forked()
  const before = await counts(engine)
  const janitor = janitorOf(engine, { maxBytes: 1 })
  for (let round = 0; round < 3; round++) await compacting(engine, janitor, { recorded: 0 })
  expect(await counts(engine)).toEqual(before)
})

test('below its bytes a stream is only compacted by its prefix', async () => {
  const engine = await forked()
  const janitor = janitorOf(engine)
  await eventually('the prefix is compacted', async () => {
    await compacting(engine, janitor)
    return janitor.reports().get(engine.plan.topologyId)?.heldBack?.nodeId === engine.id('stuck')
  })
  expect((await subjectsOf(engine, '>')).length).toBeGreaterThan(20)
})
