// Builds the SDK's dist for projects that depend on this checkout by `file:`. Processes in the repository run the
// sources (export condition `source`), so an installation without TypeScript (--omit=dev) has nothing to do here.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './install.mjs'

const tsc = join(root, 'node_modules/typescript/bin/tsc')
const project = join(root, 'workers/sdk/tsconfig.build.json')

if (existsSync(tsc) && existsSync(project)) {
  const { status } = spawnSync(process.execPath, [tsc, '-p', project], { stdio: 'ignore' })
  // An installation must not fail over a type error: `npm run verify` says which it is.
  if (status !== 0) process.stderr.write('The SDK in workers/sdk has type errors: run npm run build to see them\n')
}
