// Checks that what tools write from the source is what the repository holds: SQL migrations and openapi.json.
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { root } from '../install.mjs'
import { runNode } from '../run.mjs'

const drizzleKit = 'node_modules/drizzle-kit/bin.cjs'
const faults = []
const folder = await mkdtemp(join(tmpdir(), 'sluice-generated-'))
try {
  await checkMigrations(join(folder, 'migrations'))
  await checkOpenapi()
} finally {
  await rm(folder, { recursive: true, force: true })
}
for (const fault of faults) console.log(fault)
process.exitCode = faults.length > 0 ? 1 : 0

/** Generates into a copy of migrations/: nothing may be left to generate. */
async function checkMigrations(copy) {
  await cp(join(root, 'migrations'), copy, { recursive: true })
  const schema = ['--dialect', 'postgresql', '--schema', './runtime/store/schema.ts']
  // drizzle-kit takes folders relative to where it runs only
  const out = ['--out', relative(root, copy)]
  const { code, output } = await tsx([drizzleKit, 'generate', ...schema, ...out, '--name', 'difference'])
  // Asked whether a column was renamed, without a terminal, it writes nothing and exits with 0: only its word counts.
  if (code === 0 && output.includes('No schema changes')) return
  const written = (await readdir(copy)).filter((file) => file.endsWith('_difference.sql'))
  const missing = await Promise.all(written.map((file) => readFile(join(copy, file), 'utf8')))
  const how = "migrations/ don't lead to runtime/store/schema.ts: run npx drizzle-kit generate --name <what>"
  faults.push(how, ...(missing.length > 0 ? missing : [output]))
}

/** The writer writes in place, so a difference is there to be looked at with git diff, and committed. */
async function checkOpenapi() {
  const file = join(root, 'docs/openapi.json')
  const before = await readFile(file, 'utf8').catch(() => undefined)
  const { code, output } = await tsx(['--conditions=source', 'runtime/api/write-openapi.ts'])
  if (code !== 0) return faults.push(`runtime/api/write-openapi.ts failed:\n${output}`)
  if (before === (await readFile(file, 'utf8'))) return
  faults.push('docs/openapi.json was not what the routes say; it is now: look at git diff docs/openapi.json, commit it')
}

function tsx(args) {
  return runNode(['--import', 'tsx', ...args], { capture: true })
}
