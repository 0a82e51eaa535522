// npm run bench, npm run bench:api: the benchmarks as compiled code, like npm start.
import { ensureCompiled } from './compiled.mjs'
import { ensureInstalled } from './install.mjs'
import { runNode } from './run.mjs'

await ensureInstalled()
const [which, ...args] = process.argv.slice(2)
const { code } = await runNode([await ensureCompiled(`bench/${which}.js`), ...args])
process.exit(code)
