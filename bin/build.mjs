// Builds workers/sdk/dist, then dist (engine and samples), from scratch.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { root } from './install.mjs'
import { runNode } from './run.mjs'

const tsc = 'node_modules/typescript/bin/tsc'

for (const dist of ['workers/sdk/dist', 'dist']) await rm(join(root, dist), { recursive: true, force: true })
// The SDK first: the samples are checked against its built types.
for (const project of ['workers/sdk/tsconfig.build.json', 'tsconfig.build.json']) {
  const { code } = await runNode([tsc, '-p', project])
  if (code !== 0) process.exit(code)
}
