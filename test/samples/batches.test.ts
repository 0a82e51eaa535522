import { expect, test } from 'vitest'
import { inBatches } from '../../workers/samples/cities/systems/batches.ts'

/** Batches of numbers whose key is the number without its fraction; negative ones are refused. */
function recording() {
  const written: number[][] = []
  const save = inBatches<number>({
    keyOf: Math.trunc,
    write: async (rows) => {
      written.push([...rows])
      if (rows.some((row) => row < 0)) throw new RangeError('negative')
      if (rows.includes(500)) throw new Error('connection lost')
    },
    refusesOne: (error) => error instanceof RangeError,
  })
  return { written, save }
}

test('rows of the same turn are written together, in the order of their keys', async () => {
  const { written, save } = recording()
  await Promise.all([3, 1, 2].map(save))
  expect(written).toEqual([[1, 2, 3]])
})

test('rows that come while a batch is written are the next batch', async () => {
  const { written, save } = recording()
  const first = save(1).then(() => save(2))
  await first
  expect(written).toEqual([[1], [2]])
})

test('rows with the same key are written one after the other, in the order they came', async () => {
  const { written, save } = recording()
  await Promise.all([1.1, 2, 1.2, 1.3].map(save))
  expect(written).toEqual([[1.1, 2], [1.2], [1.3]])
})

test('a row that is refused fails alone', async () => {
  const { save } = recording()
  const results = await Promise.allSettled([1, -1, 2].map(save))
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
})

test('when nothing could be written, every row hears of it, and the next are tried afresh', async () => {
  const { save } = recording()
  const results = await Promise.allSettled([1, 500].map(save))
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  await save(3)
})

test('a batch has at most 200 rows', async () => {
  const { written, save } = recording()
  await Promise.all(Array.from({ length: 450 }, (_, index) => save(1000 + index)))
  expect(written.map(({ length }) => length)).toEqual([200, 200, 50])
})
