import { setTimeout as pause } from 'node:timers/promises'
import { expect, inject, onTestFinished, test } from 'vitest'
import { newId } from '../../../runtime/ids.ts'
import { openQueues } from '../../../runtime/queue/open.ts'
import { silentLog } from '../../../runtime/telemetry/log.ts'
import { natsProxy } from '../../support/nats-proxy.ts'

test("when the server's clock is put, bridges that ask at different times go by the new one at the same time", async () => {
  const proxy = await natsProxy(inject('natsUrl'))
  onTestFinished(() => proxy.close())
  const namespace = `t_${newId()}`
  const open = async () => {
    const queues = await openQueues({ url: proxy.url, name: 'clock', namespace, replicas: 1, log: silentLog })
    onTestFinished(() => queues.close())
    const clock = await queues.limits.openClock()
    onTestFinished(() => clock.close())
    return clock
  }
  const first = await open()
  // Half of what lies between two questions of one bridge.
  await pause(1_500)
  const clocks = [first, await open()]
  const year = new Date().getFullYear() + 1
  proxy.putClock(year)
  const putOf = () => clocks.filter((clock) => new Date(clock.now()).getFullYear() === year).length
  let apartMs = 0
  const begun = performance.now()
  for (let last = begun; putOf() < clocks.length; last = performance.now()) {
    expect(performance.now() - begun).toBeLessThan(10_000)
    await pause(10)
    if (putOf() === 1) apartMs += performance.now() - last
  }
  expect(apartMs).toBeLessThan(500)
})
