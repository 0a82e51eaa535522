import { expect, inject, onTestFinished, test } from 'vitest'
import { newId } from '../../runtime/ids.ts'
import { isRefused } from '../../runtime/queue/limits/cells.ts'
import { openQueues } from '../../runtime/queue/open.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'

async function openCells() {
  const namespace = `t_${newId()}`
  const queues = await openQueues({ url: inject('natsUrl'), name: 'test', namespace, replicas: 1, log: silentLog })
  onTestFinished(() => queues.close())
  return { queues, cells: queues.limits.cells }
}

test('of two who change a state from the same revision the second one is told, and changes nothing', async () => {
  const { cells } = await openCells()
  const first = await cells.write('k', '1', 0)
  expect(await cells.write('k', '2', 0)).toBeNull()
  expect(await cells.read('k')).toEqual({ state: '1', revision: first })
  const second = await cells.write('k', '2', first ?? 0)
  expect(await cells.read('k')).toEqual({ state: '2', revision: second })
  expect(await cells.read('unknown')).toEqual({ state: null, revision: 0 })
})

test('where nothing is kept any more, who reads and who writes is told that the server said so', async () => {
  const { queues, cells } = await openCells()
  await queues.connection.jsm.streams.delete(`KV_${queues.config.limitsName}`)
  for (const asked of [() => cells.read('k'), () => cells.write('k', '1', 0)]) {
    const error = await asked().catch((thrown: unknown) => thrown)
    expect([error, isRefused(error)]).toEqual([expect.any(Error), true])
  }
})

test('without a connection nobody knows', async () => {
  const { queues, cells } = await openCells()
  await queues.connection.close()
  for (const asked of [() => cells.read('k'), () => cells.write('k', '1', 0)]) {
    const error = await asked().catch((thrown: unknown) => thrown)
    expect([error, isRefused(error)]).toEqual([expect.any(Error), false])
  }
})
