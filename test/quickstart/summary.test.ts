import { expect, test } from 'vitest'
import { discrepancies, jsonOf, summaryOf } from '../../runtime/commands/dev/summary.ts'
import type { Result } from '../../runtime/commands/dev/summary.ts'

const counts = {
  source: 135_233,
  stored: 135_194,
  trashCandidates: 39,
  duplicates: 0,
  missing: 0,
  missingIds: [],
  extra: 0,
}

function resultWith(change: Partial<Result['counts']> = {}, failed = 39): Result {
  const messages = { total: 135_233, done: 135_233 - failed, failed, discarded: 0, cancelled: 0, inProgress: 0 }
  const times = { startedAt: '2026-01-01T00:00:00.000Z', finishedAt: '2026-01-01T00:01:40.000Z' }
  return {
    followed: { run: { id: 'r', topology: 'cities', state: 'failed', ...times, messages }, firstStoredMs: 900 },
    counts: { ...counts, ...change },
    faults: { '502': 5, '429': 6, hang: 7 },
    rssMaxMb: 200,
  }
}

test('a run whose records add up says how many need attention and what to do', () => {
  expect(discrepancies(resultWith())).toEqual([])
  const text = summaryOf(resultWith(), 'sluice').join('\n')
  expect(text).toContain('39 of 135 233 need attention')
  expect(text).toContain('sluice trash list --run r')
  expect(JSON.parse(jsonOf(resultWith()))).toEqual({
    ...{ run: 'r', source: 135_233, stored: 135_194, trash: 39, duplicates: 0 },
    ...{ seconds: 100, recordsPerSecond: 1_352, rssMaxMb: 200, failedCallsAbsorbed: 18 },
  })
})

test('calls of the source that failed are said by kind, and none in words', () => {
  const line = (faults: Result['faults']) => summaryOf({ ...resultWith(), faults }, 'sluice')[2]
  expect(line({ '502': 5, '429': 6, hang: 7 })).toContain('18 calls of the source failed (')
  expect(line({ '502': 0, '429': 1, hang: 0 })).toMatch(/^1 call of the source failed \(.*429: 1/)
  expect(line({ '502': 0, '429': 0, hang: 0 })).toMatch(/^no call of the source failed/)
})

test.each([
  [{ stored: 135_192, missing: 2, missingIds: [7, 9] }, 39, /^2 places are neither stored nor meant for Trash: 7, 9$/],
  [{ stored: 135_191, missing: 3, missingIds: [7, 9] }, 39, /Trash, the first are 7, 9$/],
  [{ stored: 135_195, extra: 1 }, 39, /^1 rows were stored that the source does not have$/],
  [{ duplicates: 4 }, 39, /^rows were written 4 times under a second message id$/],
  [{}, 40, /^Trash has 40 messages of the run, and 39 places belong there$/],
])('records that do not add up are named: %j with %i in Trash', (change, failed, line) => {
  expect(discrepancies(resultWith(change, failed))).toEqual([expect.stringMatching(line)])
})
