import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const repository = process.cwd()

/** Each file breaks exactly the rule it is listed under. */
const offenders: Record<string, { file: string; source: string }> = {
  'arrow-queue': { file: 'runtime/queue/a.ts', source: "import '../store/b.ts'" },
  'arrow-call': { file: 'runtime/call/a.ts', source: "import type { B } from '../bridge/b.ts'\nexport type A = B" },
  'arrow-recorder': { file: 'runtime/recorder/a.ts', source: "import '../api/b.ts'" },
  'arrow-topology': { file: 'runtime/topology/a.ts', source: "import '../embedded/b.ts'" },
  'arrow-leaves': { file: 'runtime/ids.ts', source: "import './topology/b.ts'" },
  'arrow-main': { file: 'runtime/main.ts', source: "import './bridge/b.ts'" },
  'arrow-strangers': { file: 'runtime/commands/a.ts', source: "import '../elsewhere/b.ts'" },
  'only-queue-speaks-nats': { file: 'runtime/limiter/a.ts', source: "import '@nats-io/kv'" },
  'only-store-speaks-sql': { file: 'runtime/intake/a.ts', source: "import 'drizzle-orm/postgres-js'" },
  'sdk-stands-alone': { file: 'workers/sdk/src/a.ts', source: "import '../../../runtime/topology/b.ts'" },
  'engine-knows-no-workers': { file: 'runtime/api/a.ts', source: "import '../../workers/samples/b.ts'" },
  'no-dev-package-in-production': { file: 'runtime/telemetry/a.ts', source: "import 'fast-check'" },
  'no-unresolved': { file: 'runtime/protocol/a.ts', source: "import './missing.ts'" },
  'no-cycle': { file: 'runtime/store/c.ts', source: "import './d.ts'" },
  'no-orphan': { file: 'runtime/call/lonely.ts', source: 'export const lonely = 1' },
}
const targets = [
  ...['api', 'bridge', 'store', 'topology', 'embedded', 'elsewhere'].map((name) => `runtime/${name}/b.ts`),
  'workers/samples/b.ts',
]

let root: string
let broken: string

beforeAll(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'sluice-arrows-')))
  for (const file of ['.dependency-cruiser.cjs', 'tsconfig.json', 'package.json']) {
    await copyFile(join(repository, file), join(root, file))
  }
  await symlink(join(repository, 'node_modules'), join(root, 'node_modules'))
  for (const file of targets) await write(file, 'export type B = string')
  await write('runtime/store/d.ts', "import './c.ts'")
  for (const { file, source } of Object.values(offenders)) await write(file, source)
  broken = await cruise()
})

afterAll(() => rm(root, { recursive: true, force: true }))

async function write(file: string, source: string): Promise<void> {
  await mkdir(dirname(join(root, file)), { recursive: true })
  await writeFile(join(root, file), `${source}\n`)
}

function cruise(): Promise<string> {
  const cli = join(repository, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs')
  const args = [cli, '--output-type', 'err', 'runtime', 'workers']
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: root, env: { ...process.env, NO_COLOR: '1' } }, (_error, stdout, stderr) =>
      resolve(stdout + stderr),
    )
  })
}

test.each(Object.entries(offenders))('an import that breaks %s is caught', (rule, { file }) => {
  const lines = broken.split('\n')
  expect(lines.filter((line) => line.includes(`${rule}:`) && line.includes(file))).not.toEqual([])
})
