import { once } from 'node:events'
import { createServer } from 'node:http'
import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { callWorker } from '../../runtime/call/call.ts'
import type { Called } from '../../runtime/call/call.ts'
import { openInstances } from '../../runtime/call/instances.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

// Ours and undici's; sockets go by the real time.
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] }))
afterEach(() => void vi.useRealTimers())

/** A call that has arrived at a worker, whose answer the test writes. */
async function open(timeoutMs: number): Promise<{ call: Promise<Called>; response: ServerResponse }> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const urls = [`http://127.0.0.1:${(server.address() as AddressInfo).port}`]
  const address = { name: 'w', urls, dialect: 'native', version: 1, secret: null, timeoutMs: null } as const
  const instances = await openInstances(address, { log: silentLog, onChange: () => undefined })
  onTestFinished(async () => {
    server.closeAllConnections()
    server.close()
    await instances.close()
  })
  const { signal } = new AbortController()
  const request = () => ({ path: '/x', headers: ['ce-id', 'm'], body: Buffer.from('1'), timeoutMs })
  const more = { message: 'm', isSuspect: false, mayCall: () => true, cut: signal }
  const call = callWorker(instances, { ...more, request, wait: (waiting) => waiting(signal) })
  const [, response] = (await once(server, 'request')) as [unknown, ServerResponse]
  return { call, response }
}

/** Until what was written has come over the loopback. */
async function arrived(): Promise<void> {
  for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate)
}

test('a call of 23 hours is answered: no time-out but that of its node cuts it, neither before the headers nor within the body', async () => {
  const { call, response } = await open(dayMs)
  vi.advanceTimersByTime(12 * hourMs)
  response.write('first, ')
  await arrived()
  vi.advanceTimersByTime(11 * hourMs)
  response.end('last')
  const { result } = await call
  expect(result).toMatchObject({ kind: 'reply', status: 200 })
  expect(result.kind === 'reply' && Buffer.from(result.body).toString()).toBe('first, last')
})

test.each([100, dayMs])('a call with a time-out of %i ms ends then, and not before', async (timeoutMs) => {
  const { call } = await open(timeoutMs)
  let ended = false
  void call.then(() => (ended = true))
  vi.advanceTimersByTime(timeoutMs - 1)
  await arrived()
  expect(ended).toBe(false)
  vi.advanceTimersByTime(1)
  expect((await call).result).toEqual({ kind: 'timeout' })
})
