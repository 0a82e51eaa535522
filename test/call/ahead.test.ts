import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { Pool } from 'undici'
import type { Dispatcher } from 'undici'
import { expect, onTestFinished, test } from 'vitest'
import { Connections } from '../../runtime/call/ahead.ts'
import { openInstances } from '../../runtime/call/instances.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { eventually } from '../support/eventually.ts'

const openMs = 40

/** Connections that take long to open, since the name takes long to look up. */
async function calls(headers: Readonly<Record<string, string>>) {
  const server = createServer((request, response) =>
    request.resume().on('end', () => response.writeHead(204, headers).end()),
  )
  let [opened, asked, isGone] = [0, 0, false]
  server.on('connection', () => opened++).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const connections = new Connections({
    lookup(_host, _options, done) {
      asked++
      const gone = isGone ? new Error('it is gone') : null
      setTimeout(() => done(gone, [{ address: '127.0.0.1', family: 4 }]), openMs)
    },
  })
  const { connect } = connections
  const pool = new Pool(`http://worker.test:${(server.address() as AddressInfo).port}`, { pipelining: 1, connect })
  onTestFinished(async () => {
    connections.close()
    await pool.destroy()
    server.closeAllConnections()
    server.close()
  })
  /** Resolves when it is over, and its connection is free again or gone. */
  const call = async (): Promise<void> => {
    await new Promise<void>((resolve, reject) => {
      pool.dispatch({ method: 'POST', path: '/', body: '' }, {
        onRequestStart: () => undefined,
        onResponseEnd: () => (connections.called(), resolve()),
        onResponseError: (_controller, error) => reject(error),
      } satisfies Dispatcher.DispatchHandler)
    })
    await eventually('the call is over', () => pool.stats.free === pool.stats.connected)
  }
  return { connections, call, opened: () => opened, asked: () => asked, leave: () => void (isGone = true) }
}

test('a worker that closes its connections has one open when a call that was expected is made', async () => {
  const { connections, call, opened, asked } = await calls({ connection: 'close' })
  for (let n = 0; n < 8; n++) await call()
  expect(asked()).toBe(8)
  connections.expect()
  const ahead = asked()
  expect(ahead).toBeGreaterThan(8)
  await eventually('it is open', () => opened() === ahead)
  await call()
  expect(asked()).toBe(ahead)
})

test('where connections stay open none is opened ahead', async () => {
  const { connections, call, asked } = await calls({})
  for (let n = 0; n < 16; n++) {
    await call()
    connections.expect()
  }
  expect(asked()).toBe(1)
})

test('who refuses a connection that was to be opened ahead is not asked for the next ones at once', async () => {
  const { connections, call, asked, leave } = await calls({ connection: 'close' })
  for (let n = 0; n < 8; n++) await call()
  leave()
  connections.expect()
  const once = asked()
  await wait(2 * openMs)
  for (let n = 0; n < 20; n++) connections.expect()
  expect(asked()).toBe(once)
})

test('calls without an answer count as well: a worker whose connections stay open again is not opened ahead for', async () => {
  const { connections, call, asked } = await calls({})
  await call()
  const { connect } = connections
  const options = { hostname: 'worker.test', protocol: 'http:', port: '1' }
  // Twenty calls that are never answered, each with a connection of its own.
  for (let n = 0; n < 20; n++) {
    connect(options, () => undefined)
    connections.called()
  }
  for (let n = 0; n < 20; n++) connections.called()
  const before = asked()
  connections.expect()
  expect(asked()).toBe(before)
})

test('at an instance that takes no calls now none is opened ahead', async () => {
  let [opened, asked] = [0, 0]
  const server = createServer((request, response) => {
    asked++
    request.resume().on('end', () => response.writeHead(204, { connection: 'close' }).end())
  })
  server.on('connection', () => opened++).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const worker = { name: 'w', urls: [`http://127.0.0.1:${port}`], dialect: 'native', version: 1, secret: null } as const
  const deps = { log: silentLog, onChange: () => undefined }
  const instances = await openInstances({ ...worker, timeoutMs: null }, deps)
  onTestFinished(async () => {
    await instances.close()
    server.closeAllConnections()
    server.close()
  })
  const take = () => {
    const slot = instances.take(false)
    if (slot === null) throw new Error('no instance')
    return slot
  }
  for (let n = 0; n < 8; n++) {
    const slot = take()
    await new Promise<void>((resolve, reject) => {
      slot.instance.pool.dispatch({ method: 'POST', path: '/', body: '' }, {
        onRequestStart: () => undefined,
        onResponseEnd: () => resolve(),
        onResponseError: (_controller, error) => reject(error),
      } satisfies Dispatcher.DispatchHandler)
      // Whoever is busy sees late that the connection is open.
      for (const begun = performance.now(); performance.now() - begun < 10;);
    })
    instances.done(slot, { kind: 'reply', status: 204, headers: {}, body: Buffer.of() }, 'm')
  }
  instances.done(take(), { kind: 'refused' }, 'm')
  instances.expect()
  // Connections are accepted in the order in which they come. A probe may come in between, but nothing is asked over one that was opened ahead.
  await fetch(worker.urls[0])
  await eventually('each connection was asked something', () => opened === asked)
})
