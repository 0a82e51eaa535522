import { expect, test } from 'vitest'
import { addUp, closingLine, countResults } from '../../bin/closing-line.mjs'

const file = (status: string, ...tests: string[]) => ({
  status,
  assertionResults: tests.map((outcome) => ({ status: outcome })),
})

test('tests are counted by outcome; pending and todo are skipped', () => {
  const report = { testResults: [file('passed', 'passed', 'pending'), file('failed', 'failed', 'passed', 'todo')] }
  expect(countResults(report, 1)).toEqual({ passed: 2, failed: 1, skipped: 2 })
})

test('a file that fails outside of its tests is a failure', () => {
  expect(countResults({ testResults: [file('failed'), file('passed', 'passed')] }, 1).failed).toBe(1)
  expect(countResults({ testResults: [file('failed', 'passed', 'skipped')] }, 1).failed).toBe(1)
})

test('a run that fails although every test passed is a failure', () => {
  expect(countResults({ testResults: [file('passed', 'passed')] }, 1)).toEqual({ passed: 1, failed: 1, skipped: 0 })
})

test('a run that crashed without a report is a failure', () => {
  expect(countResults({}, 134).failed).toBe(1)
})

test('the closing line names skipped tests only if there are any', () => {
  expect(closingLine({ passed: 3, failed: 0, skipped: 0 })).toBe('3 passed, 0 failed')
  expect(closingLine({ passed: 3, failed: 1, skipped: 2 })).toBe('3 passed, 1 failed, 2 skipped')
})

test('runs add up by their last closing line, and one without a line counts as a failure', () => {
  const outputs = ['1 passed, 9 failed\nmore\n\n5 passed, 1 failed, 2 skipped\n', 'x\n2 passed, 0 failed\n', 'killed']
  expect(addUp(outputs)).toEqual({ passed: 7, failed: 2, skipped: 2 })
})
