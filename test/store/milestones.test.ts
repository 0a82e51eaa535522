import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Outcome } from '../../runtime/protocol/outcome.ts'
import { passageOf, trailMax, withPassage } from '../../runtime/protocol/trail.ts'
import type { Passage, Trail } from '../../runtime/protocol/trail.ts'
import { applyOutcomes, position } from '../../runtime/store/outcomes.ts'
import { milestonesOf } from '../../runtime/store/queries/history/reruns.ts'
import { migratedStore } from './open.ts'
import { ended, replayed, split, started, trashed } from './outcome-samples.ts'

const spent = { queuedMs: 1, calledMs: 2, limitMs: 0, retryMs: 3, otherMs: 0 }
const passage = (nodeId: string, atMs: number): Passage => ({ nodeId, atMs, calls: 1, ...spent })
const created = '2026-03-01T10:00:00.000Z'
const trail = ['node-x', 'node-y', 'node-a'].reduce<Trail>((way, node, n) => withPassage(way, passage(node, n + 1)), [])

test('I6: milestones are exact however a history is cut into batches and repeated', async () => {
  const store = await migratedStore()
  const history: Outcome[] = [
    started('r'),
    split('r', 2),
    ended('r', { created, trail }),
    ended('r', { created, trail, cancelled: true }),
    trashed('r', 'x', { created, trail }),
    trashed('r', 'x', { created, trail }),
    replayed('r', 'x'),
    replayed('r', 'x'),
    ended('r', { created, trail: [] }),
    started('r'),
  ]
  let n = 0
  const law = fc.asyncProperty(fc.array(fc.nat(3), { minLength: 1, maxLength: 12 }), async (sizes) => {
    const own = (outcome: Outcome): Outcome => ({
      ...outcome,
      run: `r${n}`,
      ...('trashId' in outcome && { trashId: `x${n}` }),
    })
    const topologyId = `t${++n}`
    const left = history.map(own)
    for (let i = 0; left.length > 0; i++) {
      const from = await position(store, topologyId, 'e')
      const some = left.splice(0, 1 + (sizes[i % sizes.length] ?? 0))
      await applyOutcomes(store, topologyId, { epoch: 'e', from, to: from + 1 }, some)
      expect(await applyOutcomes(store, topologyId, { epoch: 'e', from, to: from + 1 }, some)).toBeNull()
    }
    const at = Date.parse(created)
    const way = { forwarded: 3, calls: 3, queuedMs: 3, calledMs: 6, retryMs: 9 }
    expect(await milestonesOf(store, `r${n}`)).toEqual({
      'node-start': { name: 'node-start', first: at, last: at, started: 1 },
      'node-a': {
        ...{
          name: 'node-a',
          first: at,
          last: at + 3,
          split: 1,
          made: 3,
          done: 2,
          cancelled: 1,
          failed: 1,
          replayed: 1,
        },
        ...{ calls: 3, queuedMs: 3, calledMs: 6, retryMs: 9 },
      },
      'node-x': { name: 'node-x', first: at + 1, last: at + 1, ...way },
      'node-y': { name: 'node-y', first: at + 2, last: at + 2, ...way },
    })
  })
  await fc.assert(law, { numRuns: 15 })
})

test('what a trail says of a node before a delay is added to what it says after', () => {
  const twice = withPassage(withPassage([], passage('a', 5)), passage('a', 9))
  expect(twice.map(passageOf)).toEqual([{ ...passage('a', 9), calls: 2, queuedMs: 2, calledMs: 4, retryMs: 6 }])
})

test('a trail reads as it was made, but for zeros and fractions, and never grows over its limit', () => {
  const numbers = fc.nat(1_000_000)
  fc.assert(
    fc.property(fc.array(fc.tuple(numbers, numbers, numbers), { maxLength: 300 }), (all) => {
      const made = all.map(([atMs, calledMs, otherMs], n) => ({ ...passage(`n${n}`, atMs), calledMs, otherMs }))
      const way = made.reduce<Trail>(withPassage, [])
      expect(way.map(passageOf)).toEqual(made.slice(0, trailMax))
      expect(JSON.stringify(way).length).toBeLessThan(8_000)
    }),
  )
})
