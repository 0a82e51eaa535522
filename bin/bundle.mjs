// node bin/bundle.mjs FOLDER: console/ as browsers take it, bundled by Vite, and packed.
import { readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { build } from 'vite'
import { root } from './install.mjs'

const [folder] = process.argv.slice(2)
const packable = /\.(js|css|html|svg)$/
/** Smaller ones gain nothing. */
const packedFrom = 1_000

await build({
  root: join(root, 'console'),
  logLevel: 'error',
  build: { outDir: folder, emptyOutDir: true },
})
await pack(folder)

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
