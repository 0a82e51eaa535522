import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { callWorker } from '../../runtime/call/call.ts'
import { openInstances } from '../../runtime/call/instances.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'

test('of a call that may not be made any more when there is a connection nothing is sent, and the next call has the connection', async () => {
  const met = { connections: 0, requests: 0 }
  const server = createServer((_request, response) => {
    met.requests++
    response.writeHead(204).end()
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
  const callWhile = (mayCall: () => boolean) =>
    callWorker(instances, { message: 'm', isSuspect: false, request, mayCall, cut: signal, wait: (of) => of(signal) })
  let asked = 0
  const late = await callWhile(() => ++asked === 1)
  expect(late).toMatchObject({ result: { kind: 'held' }, instance: null })
  expect(met).toEqual({ connections: 1, requests: 0 })
  expect(await callWhile(() => true)).toMatchObject({ result: { kind: 'reply', status: 204 } })
  expect(met).toEqual({ connections: 1, requests: 1 })
})
