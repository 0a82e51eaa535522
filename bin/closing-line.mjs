// Pure: how a test run is counted, and the one line that says it.

/**
 * Counts a vitest JSON report. A file that fails outside of its tests (it can't be imported, a hook throws) counts as
 * one failure; so does a run that fails in a way that no test shows (an unhandled error, a crash).
 * @param {{ testResults?: { status: string, assertionResults: { status: string }[] }[] }} report
 * @param {number} exitCode vitest's
 * @returns {{ passed: number, failed: number, skipped: number }}
 */
export function countResults(report, exitCode) {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  for (const file of report.testResults ?? []) {
    const failedBefore = counts.failed
    for (const { status } of file.assertionResults) counts[kindOf(status)] += 1
    if (file.status === 'failed' && counts.failed === failedBefore) counts.failed += 1
  }
  const ranTests = counts.passed > 0 || report.testResults === undefined
  return exitCode !== 0 && counts.failed === 0 && ranTests ? { ...counts, failed: 1 } : counts
}

function kindOf(status) {
  if (status === 'passed' || status === 'failed') return status
  return 'skipped'
}

/** `12 passed, 0 failed`, with `, 1 skipped` only if there is one. */
export function closingLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

const pattern = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm

/**
 * Adds up the closing lines of several runs.
 * @param {string[]} outputs one run's output each; the last closing line in it counts
 * @returns {{ passed: number, failed: number, skipped: number }} a run without a closing line counts as one failure
 */
export function addUp(outputs) {
  const total = { passed: 0, failed: 0, skipped: 0 }
  for (const output of outputs) {
    const [, passed = 0, failed = 1, skipped = 0] = [...output.matchAll(pattern)].at(-1) ?? []
    total.passed += Number(passed)
    total.failed += Number(failed)
    total.skipped += Number(skipped)
  }
  return total
}
