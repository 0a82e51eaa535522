import { spawn } from 'node:child_process'
import { symlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, inject, onTestFinished, test } from 'vitest'
import { gone } from '../../quickstart/processes.ts'
import { temporaryFolder } from '../../cli/sluice.ts'
import { init } from '../../../runtime/commands/init.ts'
import { newId } from '../../../runtime/ids.ts'
import { freshDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'

test('the engine of a new project ends in order when its npm start is SIGKILLed', async () => {
  const { folder, remove } = temporaryFolder()
  onTestFinished(remove)
  await init(folder, { name: 'shop' })
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
  const env = {
    ...process.env,
    SLUICE_NATS_URL: inject('natsUrl'),
    SLUICE_POSTGRES_URL: await freshDatabase(),
    SLUICE_NAMESPACE: `test-${newId()}`,
    SLUICE_PORT: '0',
    SLUICE_DATA: join(folder, 'data'),
  }
  const npm = spawn('npm', ['start', '--silent'], { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  npm.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  await eventually('it serves', () => said.includes('Serving until ^C'), { timeoutMs: 40_000 })
  expect(said).toMatch(/topology +shop: created, published/)
  npm.kill('SIGKILL')
  await eventually('it has closed', () => said.endsWith('Stopping\n'), { timeoutMs: 20_000 })
  await gone(folder)
}, 90_000)
