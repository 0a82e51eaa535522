// Checks that what tools write from the source is what the repository holds: SQL migrations, openapi.json, the types of the
// client, the JSON Schema of topologies.
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { root } from '../install.mjs'
import { runNode } from '../run.mjs'

const drizzleKit = 'node_modules/drizzle-kit/bin.cjs'
const clientTypes = [
  'node_modules/openapi-typescript/bin/cli.js',
  'docs/openapi.json',
  ...['--output', 'runtime/client/openapi.d.ts'],
  ...['--root-types', '--root-types-no-schema-prefix'],
]
const faults = []
const folder = await mkdtemp(join(tmpdir(), 'sluice-generated-'))
try {
  await checkMigrations(join(folder, 'migrations'))
  await checkWritten('docs/openapi.json', 'the routes', ['--conditions=source', 'runtime/api/write-openapi.ts'])
  await checkWritten('runtime/client/openapi.d.ts', 'docs/openapi.json', clientTypes)
  await checkWritten('docs/topology.schema.json', 'the reader', [
    '--conditions=source',
    'runtime/topology/files/write-schema.ts',
  ])
} finally {
  await rm(folder, { recursive: true, force: true })
}
for (const fault of faults) console.log(fault)
process.exitCode = faults.length > 0 ? 1 : 0

/** Generates into a copy of migrations/: nothing may be left to generate. */
async function checkMigrations(copy) {
  await cp(join(root, 'migrations'), copy, { recursive: true })
  const schema = ['--dialect', 'postgresql', '--schema', './runtime/store/schema/index.ts']
  // drizzle-kit takes folders relative to where it runs only
  const out = ['--out', relative(root, copy)]
  const { code, output } = await tsx([drizzleKit, 'generate', ...schema, ...out, '--name', 'difference'])
  // Asked whether a column was renamed, without a terminal, it writes nothing and exits with 0: only its word counts.
  if (code === 0 && output.includes('No schema changes')) return
  const written = (await readdir(copy)).filter((file) => file.endsWith('_difference.sql'))
  const missing = await Promise.all(written.map((file) => readFile(join(copy, file), 'utf8')))
  const how = "migrations/ don't lead to runtime/store/schema/: run npx drizzle-kit generate --name <what>"
  faults.push(how, ...(missing.length > 0 ? missing : [output]))
}

/** Writers write in place, so a difference is there to be looked at with git diff, and committed. */
async function checkWritten(name, source, writer) {
  const file = join(root, name)
  const before = await readFile(file, 'utf8').catch(() => undefined)
  const { code, output } = await tsx(writer)
  if (code !== 0) return faults.push(`${writer.join(' ')} failed:\n${output}`)
  if (before === (await readFile(file, 'utf8'))) return
  faults.push(`${name} was not what ${source} say; it is now: look at git diff ${name}, commit it`)
}

function tsx(args) {
  return runNode(['--import', 'tsx', ...args], { capture: true })
}
