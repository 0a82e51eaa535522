// Builds console/ into dist/console when its sources have changed since: bundled by Vite, and packed for browsers.
import { existsSync } from 'node:fs'
import { mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { root } from './install.mjs'

const target = join(root, 'dist/console')
/** Of all that the console is made of. */
const sources = ['console', 'runtime/client', 'runtime/errors.ts', 'package-lock.json', 'bin/console.mjs']
const packable = /\.(js|css|html|svg)$/
/** Smaller ones gain nothing. */
const packedFrom = 1_000

/**
 * The folder of the built console. What is there stays in place until the new one is whole.
 * @returns {Promise<string>}
 */
export async function ensureConsole() {
  const built = await changedAt(join(target, 'index.html'))
  if (built > 0 && built > (await newest())) return target
  // Vite prints what it does not bundle for people at a terminal; who asked for this wants the engine.
  const { build } = await import('vite')
  const draft = `${target}.${process.pid}`
  await build({
    root: join(root, 'console'),
    logLevel: 'error',
    build: { outDir: draft, emptyOutDir: true },
  })
  await pack(draft)
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

/** Beside each file the same for browsers that take brotli or gzip, so that nothing is packed while somebody waits. */
async function pack(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile() && packable.test(entry.name))
  await Promise.all(files.map((entry) => packFile(join(entry.parentPath, entry.name))))
}

async function packFile(file) {
  const plain = await readFile(file)
  if (plain.length < packedFrom) return
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }
  await writeFile(`${file}.br`, await promisify(brotliCompress)(plain, quality))
  await writeFile(`${file}.gz`, await promisify(gzip)(plain, { level: 9 }))
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
