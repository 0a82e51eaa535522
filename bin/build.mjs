// Builds workers/sdk/dist and dist (engine and samples). What the engine reads at run time by a path relative to its
// own modules is copied to the same place below dist.
import { cp, rm } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './install.mjs'
import { runNode } from './run.mjs'

const assets = ['migrations']
const tsc = 'node_modules/typescript/bin/tsc'

for (const dist of ['workers/sdk/dist', 'dist']) await rm(join(root, dist), { recursive: true, force: true })
// The SDK first: the samples are checked against its built types.
for (const project of ['workers/sdk/tsconfig.build.json', 'tsconfig.build.json']) {
  const { code } = await runNode([tsc, '-p', project])
  if (code !== 0) process.exit(code)
}
for (const asset of assets) {
  if (existsSync(join(root, asset))) await cp(join(root, asset), join(root, 'dist', asset), { recursive: true })
}
