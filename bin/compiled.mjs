// Keeps dist in step with the sources: what changed since is transpiled, without a check of types (npm run verify does
// that). So `npm start` runs plain JavaScript: tsx starts later and wraps every function to keep its name, which costs
// the engine a fifth of its CPU (see docs/decisions/005).
import { existsSync } from 'node:fs'
import { cp, mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { root } from './install.mjs'

const places = [
  { from: 'runtime', to: 'dist/runtime' },
  { from: 'bench', to: 'dist/bench' },
  { from: 'test/faults', to: 'dist/test/faults' },
  { from: 'workers/samples', to: 'dist/workers/samples' },
  { from: 'workers/sdk/src', to: 'workers/sdk/dist' },
]
const skipped = new Set(['node_modules', 'dist', 'package.json', 'tsconfig.build.json', 'tsconfig.edge.json'])

/** Path of a compiled entry, by default the engine's. */
export async function ensureCompiled(entry = 'runtime/main.js') {
  const stale = (await Promise.all(places.map(staleIn))).flat()
  const sources = stale.filter(({ from }) => from.endsWith('.ts'))
  for (const { from, to } of stale) await mkdir(dirname(to), { recursive: true })
  if (sources.length > 0) await transpile(sources)
  for (const { from, to } of stale) if (!from.endsWith('.ts')) await cp(from, to)
  return join(root, 'dist', entry)
}

async function staleIn({ from, to }) {
  if (!existsSync(join(root, from))) return []
  const entries = await readdir(join(root, from), { recursive: true, withFileTypes: true })
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
  const pairs = files
    .filter(
      (file) =>
        !file
          .slice(root.length)
          .split('/')
          .some((part) => skipped.has(part)) && !file.endsWith('.d.ts'),
    )
    .map((file) => ({ from: file, to: join(root, to, file.slice(join(root, from).length)).replace(/\.ts$/, '.js') }))
  const fresh = await Promise.all(pairs.map(async (pair) => (await changedAt(pair.to)) >= (await changedAt(pair.from))))
  return pairs.filter((_, index) => !fresh[index])
}

async function changedAt(file) {
  return stat(file).then(
    ({ mtimeMs }) => mtimeMs,
    () => -1,
  )
}

async function transpile(sources) {
  const { default: ts } = await import('typescript')
  const compilerOptions = {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.ESNext,
    verbatimModuleSyntax: true,
    rewriteRelativeImportExtensions: true,
  }
  for (const { from, to } of sources) {
    const { outputText } = ts.transpileModule(await readFile(from, 'utf8'), { fileName: from, compilerOptions })
    // Whole or not at all: another process may be starting from dist.
    const draft = `${to}.${process.pid}`
    await writeFile(draft, outputText)
    await rename(draft, to)
  }
}
