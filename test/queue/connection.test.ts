import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { JetStreamApiError } from '@nats-io/jetstream'
import { TimeoutError } from '@nats-io/transport-node'
import { expect, inject, onTestFinished, test } from 'vitest'
import { openStack } from '../../runtime/commands/stack.ts'
import { ownQueues } from '../../runtime/commands/parts.ts'
import { Invalid, Unavailable } from '../../runtime/errors.ts'
import { newId } from '../../runtime/ids.ts'
import { openQueues } from '../../runtime/queue/open.ts'
import { freePort } from '../../runtime/embedded/process.ts'
import { connectQueues, untilReady } from '../../runtime/queue/connection.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { eventually } from '../support/eventually.ts'
import { natsProxy } from '../support/nats-proxy.ts'

const electing = () => new JetStreamApiError({ code: 503, err_code: 10008, description: 'temporarily unavailable' })

test('JetStream that is not ready yet is asked again: no answer, or no leader', async () => {
  const failures = [new TimeoutError(), electing()]
  const asked = await untilReady(async () => {
    const failure = failures.shift()
    if (failure !== undefined) throw failure
    return 'ready'
  })
  expect(asked).toBe('ready')
})

test('when it takes too long the error says what to look at', async () => {
  const never = untilReady(() => Promise.reject(electing()), { timeoutMs: 0 })
  await expect(never).rejects.toThrow(Unavailable)
  await expect(never).rejects.toThrow(/isn't ready \(.*\); on a cluster, check that most of its servers run/)
})

test('a refusal is final at once', async () => {
  let asked = 0
  const refused = new JetStreamApiError({ code: 400, err_code: 10025, description: 'replicas > 1 not supported' })
  const outcome = untilReady(() => {
    asked++
    return Promise.reject(refused)
  })
  await expect(outcome).rejects.toBe(refused)
  expect(asked).toBe(1)
})

test('of several servers one that is dead does not matter, wherever it stands', async () => {
  const dead = `nats://127.0.0.1:${await freePort()}`
  for (const url of [`${dead},${inject('natsUrl')}`, `${inject('natsUrl')}, ${dead}`]) {
    const connection = await connectQueues({ url, name: 'one of two', log: silentLog })
    expect(connection.connected).toBe(true)
    await connection.close()
  }
})

test('copies on a single server are refused in one line that names the option', async () => {
  const opening = openQueues({
    url: inject('natsUrl'),
    name: 'x',
    namespace: `t_${newId()}`,
    replicas: 3,
    log: silentLog,
  })
  await expect(opening).rejects.toThrow(Invalid)
  await expect(opening).rejects.toThrow(/^--replicas \(SLUICE_REPLICAS\) is 3, but NATS is a single server.*3 servers$/)
})

test('what is asked while NATS is away is answered in plain words', async () => {
  const proxy = await natsProxy()
  const queues = await openQueues({ url: proxy.url, name: 'x', namespace: `t_${newId()}`, replicas: 1, log: silentLog })
  onTestFinished(async () => {
    await queues.close()
    await proxy.close()
  })
  proxy.cut()
  await eventually('it is noticed', () => !queues.connection.connected)
  await expect(queues.control.status()).rejects.toThrow(/^not connected to NATS$/)
})

/** A NATS that says who it is, and answers `PONG` but nothing else: JetStream isn't there, nor says so. */
async function silentNats(): Promise<{ url: string; asked: Promise<unknown> }> {
  const sockets = new Set<Socket>()
  const info = { server_id: 's', version: '2.15.2', proto: 1, headers: true, jetstream: true, max_payload: 10_485_760 }
  const server = createServer()
  const asked = new Promise((resolve) => {
    server.on('connection', (socket) => {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.write(`INFO ${JSON.stringify(info)}\r\n`)
      socket.on('data', (data) => {
        if (data.includes('PING')) socket.write('PONG\r\n')
        if (data.includes('$JS.API')) resolve(null)
      })
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return { url: `nats://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

test('a command that waits for a NATS which never answers stops at once', async () => {
  const { url, asked } = await silentNats()
  const stack = openStack(silentLog)
  const opening = ownQueues(stack, { natsUrl: url, namespace: 'n', replicas: 1 }, 'test', silentLog)
  const outcome = expect(opening).rejects.toThrow('the engine is being stopped')
  await asked
  const begun = performance.now()
  await stack.stop()
  await outcome
  expect(performance.now() - begun).toBeLessThan(1_000)
})
