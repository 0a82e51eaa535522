import { expect, test } from 'vitest'
import { eachOf } from '../../runtime/api/actions/look/each.ts'

test('after a failure no more is begun, and what was under way ends first', async () => {
  const begun: number[] = []
  const ended: number[] = []
  const work = async (item: number): Promise<number> => {
    begun.push(item)
    if (item === 1) throw new Error('no')
    await new Promise((resolve) => setImmediate(resolve))
    ended.push(item)
    return item
  }
  await expect(eachOf([0, 1, 2, 3, 4, 5], 2, work)).rejects.toThrow('no')
  expect([begun, ended]).toEqual([[0, 1], [0]])
})

test('results are in the order of the items, whatever their number', async () => {
  for (const atOnce of [1, 2, 9])
    expect(await eachOf([3, 1, 2], atOnce, (item) => Promise.resolve(item * 2))).toEqual([6, 2, 4])
  expect(await eachOf([], 3, () => Promise.resolve(1))).toEqual([])
})
