import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'

const run = promisify(execFile)
/** As at the edge: nothing of Node. */
const compilerOptions = {
  target: 'es2023',
  lib: ['es2023', 'dom', 'dom.asynciterable'],
  module: 'nodenext',
  types: [],
  strict: true,
  exactOptionalPropertyTypes: true,
}

test('the client works and has its types in a project that installs the packed build', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-package-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  await run('npm', ['run', '-s', 'build'])
  for (const workspace of ['.', 'workers/sdk'])
    await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder, resolve(workspace)])
  const packed = (await readdir(folder)).filter((file) => file.endsWith('.tgz')).map((file) => `./${file}`)
  await writeFile(join(folder, 'package.json'), '{"name": "user", "type": "module", "private": true}')
  const install = ['install', '--ignore-scripts', '--omit=optional', '--no-audit', '--no-fund', '--prefer-offline']
  await run('npm', [...install, ...packed], { cwd: folder })
  const used = `import { dataOf, openEngine, Unavailable } from 'sluiceway/client'
import type { Topology } from 'sluiceway/client'
const engine = openEngine({ url: 'http://127.0.0.1:1', token: 't' })
const names = async (): Promise<Topology['name'][]> => (await engine.list('/api/topologies')).map(({ name }) => name)
names().catch((error: unknown) => console.log(error instanceof Unavailable))
export const wrong = () =>
  // @ts-expect-error there is no such path
  dataOf(engine.GET('/api/nothing'))
`
  await writeFile(join(folder, 'user.ts'), used)
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['user.ts'] }))
  await run(process.execPath, [resolve('node_modules/typescript/bin/tsc'), '-p', folder])
  expect((await run(process.execPath, ['user.js'], { cwd: folder })).stdout).toBe('true\n')
})
