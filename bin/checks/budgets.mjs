// Checks the sizes that keep this code readable, over the whole repository: functions, files, folders.
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { root } from '../install.mjs'

const sources = ['runtime', 'console', 'workers', 'bin']
const most = { function: 80, file: 400, folder: 12, readme: 120 }
const usual = { lines: 40, share: 0.9 }

const faults = []
const lengths = []
const folders = new Map()

for (const file of await sourceFiles()) {
  const text = await readFile(join(root, file), 'utf8')
  const lines = text.trimEnd().split('\n').length
  if (lines > most.file) faults.push(`${file} has ${lines} lines (at most ${most.file}): split it by what it does`)
  folders.set(dirname(file), (folders.get(dirname(file)) ?? 0) + 1)
  for (const found of functionsIn(file, text)) {
    lengths.push(found.lines)
    if (found.lines <= most.function) continue
    faults.push(`${file}:${found.at} ${found.name} has ${found.lines} lines (at most ${most.function})`)
  }
}
for (const [folder, files] of folders) {
  if (files > most.folder) faults.push(`${folder} has ${files} files (at most ${most.folder}): it is two folders`)
}
await checkReadme()
report()

/** Who reads it wants to know what this is and how to start it; the rest is in docs/. */
async function checkReadme() {
  const lines = (await readFile(join(root, 'README.md'), 'utf8').catch(() => '')).split('\n').length - 1
  if (lines === 0) faults.push('README.md is missing')
  if (lines > most.readme) faults.push(`README.md has ${lines} lines (at most ${most.readme})`)
}

async function sourceFiles() {
  const found = []
  for (const top of sources) {
    const entries = await readdir(join(root, top), { recursive: true, withFileTypes: true }).catch(() => [])
    for (const entry of entries) {
      const file = join(entry.parentPath, entry.name).slice(root.length)
      if (entry.isFile() && isSource(file)) found.push(file)
    }
  }
  return found.sort()
}

function isSource(file) {
  return /\.(ts|tsx|mjs)$/.test(file) && !/(^|\/)(node_modules|dist)\/|\.test\.ts$|\.d\.ts$/.test(file)
}

/** Every function with a block body; one-expression arrows would only flatter the share. */
function functionsIn(file, text) {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const found = []
  const visit = (node) => {
    if (ts.isFunctionLike(node) && node.body && ts.isBlock(node.body)) found.push(measure(source, node))
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

function measure(source, node) {
  const first = source.getLineAndCharacterOfPosition(node.getStart(source)).line
  const last = source.getLineAndCharacterOfPosition(node.getEnd()).line
  const name = node.name ?? node.parent?.name
  return { name: name?.getText(source) ?? 'a function', at: first + 1, lines: last - first + 1 }
}

function report() {
  const sorted = lengths.toSorted((a, b) => a - b)
  const share = lengths.filter((lines) => lines < usual.lines).length / Math.max(1, lengths.length)
  const percent = (share * 100).toFixed(1)
  console.log(
    `${lengths.length} functions: median ${sorted[Math.floor(sorted.length / 2)]} lines, longest ${sorted.at(-1)}, ` +
      `${percent} % under ${usual.lines}; ${folders.size} folders`,
  )
  if (share < usual.share) faults.push(`only ${percent} % of the functions are under ${usual.lines} lines`)
  for (const fault of faults) console.log(fault)
  process.exitCode = faults.length > 0 ? 1 : 0
}
