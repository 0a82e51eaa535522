// Builds console/ into dist/console when its sources have changed since.
import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { root } from './install.mjs'
import { runNode } from './run.mjs'

const target = join(root, 'dist/console')
/** Of all that the console is made of. */
const sources = [
  'console',
  'runtime/client',
  'runtime/topology/yaml.ts',
  'runtime/topology/faults/paths.ts',
  'runtime/protocol/patch/exact.ts',
  'runtime/errors.ts',
  'package-lock.json',
  'bin/bundle.mjs',
]

/**
 * The folder of the built console. What is there stays in place until the new one is whole.
 * @returns {Promise<string>}
 */
export async function ensureConsole() {
  const built = await changedAt(join(target, 'index.html'))
  if (built > 0 && built > (await newest())) return target
  const draft = `${target}.${process.pid}`
  // In a process of its own: whoever asks for it may serve for months, and needs none of the memory that bundling takes. Tests ask for it,
  // too, and what they leave is what people are served.
  const env = { NODE_ENV: 'production' }
  const { code, output } = await runNode([join(root, 'bin/bundle.mjs'), draft], { capture: true, env })
  if (code !== 0) throw new Error(output.trim() || `bundling ended with ${code}`)
  await replaceBy(draft)
  return target
}

async function newest() {
  const times = await Promise.all(sources.map((source) => newestIn(join(root, source))))
  return Math.max(...times)
}

async function newestIn(path) {
  const { mtimeMs, isFolder } = await stat(path).then(
    (found) => ({ mtimeMs: found.mtimeMs, isFolder: found.isDirectory() }),
    () => ({ mtimeMs: 0, isFolder: false }),
  )
  if (!isFolder) return mtimeMs
  const names = (await readdir(path)).filter((name) => name !== 'node_modules')
  return Math.max(mtimeMs, ...(await Promise.all(names.map((name) => newestIn(join(path, name))))))
}

async function changedAt(file) {
  return stat(file).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  )
}

/** Of several that build at once the last one wins. */
async function replaceBy(draft) {
  await mkdir(join(root, 'dist'), { recursive: true })
  const old = `${draft}.old`
  if (existsSync(target)) await rename(target, old).catch(() => undefined)
  await rename(draft, target).catch((error) => {
    if (!existsSync(join(target, 'index.html'))) throw error
  })
  await rm(old, { recursive: true, force: true })
  await rm(draft, { recursive: true, force: true })
}
