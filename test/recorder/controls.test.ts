import { expect, test } from 'vitest'
import { getRun } from '../../runtime/store/queries/runs.ts'
import { listTrash } from '../../runtime/store/queries/trash.ts'
import { eventually } from '../support/eventually.ts'
import { spawnRole } from '../support/role.ts'
import type { Role } from '../support/role.ts'
import { closing, counters, flow } from './flow.ts'

/** A control in a process of its own. */
function spawnControl(namespace: string, postgresUrl: string): Role {
  const own = { SLUICE_POSTGRES_URL: postgresUrl, SLUICE_ADMIN_TOKEN: 'of-a-control-of-the-tests', SLUICE_PORT: '0' }
  const control = spawnRole('control', namespace, own)
  closing.push(control)
  return control
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
    await active.end('SIGKILL')
    ;[active, other] = [other, control()]
  }
  for (const run of runs) {
    await recorded(run)
    expect(await getRun(store, run)).toMatchObject(counters)
    expect(await listTrash(store, { runId: run }, 50, null)).toHaveLength(counters.failed)
  }
}, 120_000)
