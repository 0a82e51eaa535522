// Checks how much of the built console a browser loads before its first page can be used: scripts, as gzip.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { ensureConsole } from '../console.mjs'

const mostKb = 350

const folder = await ensureConsole()
const manifest = JSON.parse(await readFile(join(folder, '.vite/manifest.json'), 'utf8'))
const first = filesOf('index.html')
// The page that everybody sees first is loaded by then, too.
const page = Object.keys(manifest).filter((name) => name.endsWith('pages/topologies/page.tsx'))
const files = new Set([...first, ...page.flatMap((name) => [...filesOf(name)])])
const sizes = await Promise.all(
  [...files].map(async (file) => [file, gzipSync(await readFile(join(folder, file)), { level: 9 }).length / 1_000]),
)
const total = sizes.reduce((sum, [, size]) => sum + size, 0)
console.log(`the console's first load is ${total.toFixed(0)} kB of scripts as gzip (at most ${mostKb})`)
if (total > mostKb || page.length === 0) {
  for (const [file, size] of sizes) console.log(`  ${size.toFixed(0).padStart(4)} kB ${file}`)
  process.exitCode = 1
}

function filesOf(name, seen = new Set()) {
  const chunk = manifest[name]
  if (chunk === undefined || seen.has(chunk.file)) return seen
  seen.add(chunk.file)
  for (const imported of chunk.imports ?? []) filesOf(imported, seen)
  return seen
}
