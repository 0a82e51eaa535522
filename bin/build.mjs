// Builds workers/sdk/dist, then dist (engine and samples, the declarations of the client) from scratch, and the console.
import { cp, readdir, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { ensureConsole } from './console.mjs'
import { root } from './install.mjs'
import { runNode } from './run.mjs'

const projects = ['tsconfig.build.json', 'tsconfig.edge.json']
const tsc = 'node_modules/typescript/bin/tsc'

// The console says by itself whether its sources have changed.
const stale = (await readdir(join(root, 'dist')).catch(() => [])).filter((name) => name !== 'console')
for (const path of ['workers/sdk/dist', ...stale.map((name) => join('dist', name))])
  await rm(join(root, path), { recursive: true, force: true })
// The SDK first: the samples are checked against its built types.
for (const project of [
  'workers/sdk/tsconfig.build.json',
  'tsconfig.build.json',
  'runtime/client/tsconfig.build.json',
]) {
  const { code } = await runNode([tsc, '-p', project])
  if (code !== 0) process.exit(code)
}
// The types that are written stand in a declaration, which tsc copies nowhere.
await cp(join(root, 'runtime/client/openapi.d.ts'), join(root, 'dist/runtime/client/openapi.d.ts'))
// Modules read files that lie beside them (documents, data): those lie beside the built modules too.
for (const folder of ['runtime', 'workers/samples']) {
  await cp(join(root, folder), join(root, 'dist', folder), { recursive: true, filter: isAsset })
}
await ensureConsole()

function isAsset(path) {
  return (
    !/\.(ts|tsx|map)$/.test(path) && !['node_modules', 'dist', 'package.json', ...projects].includes(basename(path))
  )
}
