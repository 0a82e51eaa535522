import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { callWorker } from '../../runtime/call/call.ts'
import type { Calling } from '../../runtime/call/call.ts'
import { openInstances } from '../../runtime/call/instances.ts'
import { Stopped } from '../../runtime/errors.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'

/** Instances of a worker that answers after so long, and what it has met. */
async function workerThat(afterMs: number) {
  const met = { connections: 0, requests: 0 }
  const server = createServer((_request, response) => {
    met.requests++
    setTimeout(() => response.writeHead(204).end(), afterMs)
  }).on('connection', () => met.connections++)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const urls = [`http://127.0.0.1:${(server.address() as AddressInfo).port}`]
  const address = { name: 'w', urls, dialect: 'native', version: 1, secret: null, timeoutMs: null } as const
  const instances = await openInstances(address, { log: silentLog, onChange: () => undefined })
  onTestFinished(async () => {
    await instances.close()
    server.close()
  })
  const { signal } = new AbortController()
  const request = () => ({ path: '/x', headers: ['ce-id', 'm'], body: Buffer.from('1'), timeoutMs: 5_000 })
  const callWhile = (mayCall: () => boolean, suspect: Partial<Pick<Calling, 'isSuspect' | 'renew'>> = {}) => {
    const calling = { message: 'm', isSuspect: false, request, mayCall, cut: signal, ...suspect }
    return callWorker(instances, { ...calling, wait: (of) => of(signal) })
  }
  return { met, callWhile }
}

test('of a call that may not be made any more when there is a connection nothing is sent, and the next call has the connection', async () => {
  const { met, callWhile } = await workerThat(0)
  let asked = 0
  const late = await callWhile(() => ++asked === 1)
  expect(late).toMatchObject({ result: { kind: 'held' }, instance: null })
  expect(met).toEqual({ connections: 1, requests: 0 })
  expect(await callWhile(() => true)).toMatchObject({ result: { kind: 'reply', status: 204 } })
  expect(met).toEqual({ connections: 1, requests: 1 })
})

test('a suspect for which calls of others have to end is called then, though its permit is void, if it has another one', async () => {
  const { met, callWhile } = await workerThat(100)
  const others = [callWhile(() => true), callWhile(() => true)]
  let isVoid = true
  const renew = (): Promise<boolean> => {
    isVoid = false
    return Promise.resolve(true)
  }
  expect(await callWhile(() => !isVoid, { isSuspect: true, renew })).toMatchObject({ result: { status: 204 } })
  await Promise.all(others)
  isVoid = true
  const none = { isSuspect: true, renew: () => Promise.resolve(false) }
  expect(await callWhile(() => !isVoid, none)).toMatchObject({ result: { kind: 'held' } })
  const stopped = { isSuspect: true, renew: () => Promise.reject(new Stopped('it stops')) }
  await expect(callWhile(() => !isVoid, stopped)).rejects.toThrow(Stopped)
  // Whoever comes next finds the instance free.
  expect(await callWhile(() => true)).toMatchObject({ result: { status: 204 } })
  expect(met.requests).toBe(4)
})
