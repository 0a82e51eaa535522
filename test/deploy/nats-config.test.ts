import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectQueues, smallestMaxPayload } from '../../runtime/queue/connection.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { compose, healthUrl, service, withDefaults } from './compose-file.ts'
import { startComposeNats } from './compose-nats.ts'

let nats: Awaited<ReturnType<typeof startComposeNats>>

beforeAll(async () => {
  nats = await startComposeNats()
})

afterAll(() => nats.stop())

async function ask(path: string): Promise<unknown> {
  return (await fetch(`${nats.monitoring}${path}`)).json()
}

test('the engine accepts the NATS server of compose.yaml', async () => {
  const connection = await connectQueues({ url: nats.url, name: 'compose', log: silentLog })
  expect(connection.nc.info?.max_payload).toBeGreaterThan(smallestMaxPayload)
  await connection.close()
})

test('the NATS server of compose.yaml syncs every write', async () => {
  const config = { sync_always: true, store_dir: join(nats.folder, 'data', 'jetstream') }
  expect(await ask('/varz')).toMatchObject({ jetstream: { config } })
})

test('the health check of NATS asks a path that the server has, at the port that it is configured with', async () => {
  const url = healthUrl('nats')
  expect(compose.configs.nats?.content).toContain(`http_port: ${url.port}`)
  expect(await ask(url.pathname)).toEqual({ status: 'ok' })
})

test('the engine is told the port that NATS is configured with', () => {
  const urls = ['control', 'bridge'].map((name) => service(name).environment?.SLUICE_NATS_URL)
  const port = /^\s*port: (\d+)$/m.exec(compose.configs.nats?.content ?? '')?.[1]
  expect(urls).toEqual([`nats://nats:${port}`, `nats://nats:${port}`])
})

test('starts are refused before the NATS server of compose.yaml has no room: both are told the same limit', async () => {
  const limit = Number(withDefaults(service('control').environment?.SLUICE_MAX_STORE_BYTES ?? ''))
  expect(await ask('/varz')).toMatchObject({ jetstream: { config: { max_storage: limit } } })
})
