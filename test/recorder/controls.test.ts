import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { expect, inject, test } from 'vitest'
import { getRun } from '../../runtime/store/queries/runs.ts'
import { listTrash } from '../../runtime/store/queries/trash.ts'
import { secretKey } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { closing, counters, flow } from './flow.ts'

/** A control in a process of its own, by the command that production uses. */
function spawnControl(namespace: string, postgresUrl: string): ChildProcess {
  const child = spawn(process.execPath, ['--import', 'tsx', '--conditions=source', 'runtime/main.ts', 'control'], {
    env: {
      ...process.env,
      SLUICE_NATS_URL: inject('natsUrl'),
      SLUICE_POSTGRES_URL: postgresUrl,
      SLUICE_NAMESPACE: namespace,
      SLUICE_SECRET_KEY: secretKey,
      SLUICE_ADMIN_TOKEN: 'of-a-control-of-the-tests',
      SLUICE_PORT: '0',
      SLUICE_LOG_LEVEL: 'error',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  closing.push({ close: () => killed(child) })
  return child
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

test('two controls that are SIGKILLed one after the other while runs are recorded count everything once', async () => {
  const { engine, store, postgresUrl } = await flow()
  const control = () => spawnControl(engine.namespace, postgresUrl)
  const isRecorded = async (run: string) => (await getRun(store, run).catch(() => null))?.state === 'failed'
  const recorded = (run: string) => eventually('it is recorded', () => isRecorded(run), { timeoutMs: 40_000 })
  const runs: string[] = []
  const more = async (): Promise<string> => {
    for (let n = 0; n < 10; n++) runs.push(await engine.start('{}'))
    return runs.at(-5) ?? ''
  }
  let [active, other] = [control(), control()]
  for (let round = 0; round < 2; round++) {
    await recorded(await more())
    await killed(active)
    ;[active, other] = [other, control()]
  }
  for (const run of runs) {
    await recorded(run)
    expect(await getRun(store, run)).toMatchObject(counters)
    expect(await listTrash(store, { runId: run }, 50, null)).toHaveLength(counters.failed)
  }
}, 120_000)
