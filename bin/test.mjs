// Runs vitest and closes with one plain line, `N passed, N failed[, N skipped]`, alone on its line.
// Arguments go to vitest: npm test -- test/queue, npm test -- --config vitest.proof.config.ts
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { closingLine, countResults } from './closing-line.mjs'
import { ensureInstalled } from './install.mjs'
import { runNode } from './run.mjs'

try {
  await ensureInstalled()
} catch (error) {
  process.stderr.write(`${error.message}\n`)
  process.exit(1)
}

const folder = await mkdtemp(join(tmpdir(), 'sluice-test-'))
const report = join(folder, 'report.json')
const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--reporter=default', '--reporter=json']
const { code } = await runNode([...vitest, `--outputFile.json=${report}`, ...process.argv.slice(2)])
const counts = countResults(JSON.parse(await readFile(report, 'utf8').catch(() => '{}')), code)
await rm(folder, { recursive: true, force: true })

if (counts.passed + counts.failed === 0) process.stderr.write('No test ran: that counts as a failure\n')
process.stdout.write(`\n${closingLine(counts)}\n`)
process.exitCode = code !== 0 || counts.failed > 0 || counts.passed === 0 ? 1 : 0
