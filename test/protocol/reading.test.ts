import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cursorMark, nextMark } from '../../runtime/protocol/reading.ts'

/** The page whose answer is known to lead to an earlier page; null: none of these. */
function roundAt(cursors: Iterable<string>): number | null {
  let mark: string | null = null
  let page = 0
  for (const next of cursors) {
    if (cursorMark(next) === mark) return page
    mark = nextMark(mark, ++page, next)
  }
  return null
}

function* going(lead: number, around: number, pages: number): Generator<string> {
  for (let n = 0; n < pages; n++) yield `c${n < lead ? n : lead + ((n - lead) % around)}`
}

test('cursors that go round are found after three times as many pages as lead there and around, whatever leads there', () => {
  fc.assert(
    fc.property(fc.nat({ max: 200 }), fc.integer({ min: 1, max: 200 }), (lead, around) => {
      const most = 3 * (lead + around)
      expect(roundAt(going(lead, around, most + 1))).not.toBeNull()
    }),
  )
})

test('cursors of which none comes again are never taken for a round', () => {
  expect(roundAt(going(2_000, 1, 2_000))).toBeNull()
})
