// npm run verify: everything that can be checked without running tests. Steps can be named: npm run verify -- lint types
import { ensureInstalled } from '../install.mjs'
import { runNode } from '../run.mjs'

const bin = 'node_modules'
const tsc = [`${bin}/typescript/bin/tsc`, '--noEmit', '--pretty', 'false', '-p']

/** Name → the commands of a step; all of them run. */
const steps = {
  format: [[`${bin}/prettier/bin/prettier.cjs`, '--check', '--log-level=warn', '.']],
  lint: [[`${bin}/eslint/bin/eslint.js`, '--max-warnings=0', '.']],
  types: [
    [...tsc, '.'],
    [...tsc, 'workers/sdk/tsconfig.edge.json'],
    [...tsc, 'runtime/client/tsconfig.edge.json'],
    [...tsc, 'console'],
  ],
  build: [['bin/build.mjs'], ['bin/checks/first-load.mjs']],
  generated: [['bin/checks/generated.mjs']],
  arrows: [[`${bin}/dependency-cruiser/bin/dependency-cruise.mjs`, 'runtime', 'console', 'workers', 'test', 'bench']],
  'dead-code': [[`${bin}/knip/bin/knip.js`, '--treat-config-hints-as-errors']],
  budgets: [['bin/checks/budgets.mjs']],
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !(name in steps))
if (unknown.length > 0) {
  process.stderr.write(`no step ${unknown.join(', ')}; there are ${Object.keys(steps).join(', ')}\n`)
  process.exit(2)
}

const failed = []
try {
  await ensureInstalled()
  for (const name of wanted.length > 0 ? wanted : Object.keys(steps)) if (!(await passes(name))) failed.push(name)
} catch (error) {
  process.stderr.write(`${error.message}\n`)
  process.exit(1)
}
console.log(failed.length === 0 ? 'verified' : `verify failed: ${failed.join(', ')}`)
process.exitCode = failed.length === 0 ? 0 : 1

/** Runs one step and prints its outcome, its time and, if there is any, what it said. */
async function passes(name) {
  const start = performance.now()
  const results = []
  for (const command of steps[name]) results.push(await runNode(command, { capture: true, env: { NO_COLOR: '1' } }))
  const ok = results.every(({ code }) => code === 0)
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${name.padEnd(10)} ${seconds.padStart(5)} s`)
  const output = results.map((result) => result.output.trim()).filter(Boolean)
  if (output.length > 0 && (!ok || name === 'budgets' || name === 'build')) console.log(output.join('\n'))
  return ok
}
