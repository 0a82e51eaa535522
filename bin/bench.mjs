// npm run bench: the benchmarks as compiled code, like npm start.
import { ensureCompiled } from './compiled.mjs'
import { ensureInstalled } from './install.mjs'
import { runNode } from './run.mjs'

await ensureInstalled()
const { code } = await runNode([await ensureCompiled('bench/run.js'), ...process.argv.slice(2)])
process.exit(code)
