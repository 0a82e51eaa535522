import { onTestFinished } from 'vitest'
import { freePort } from '../../../runtime/embedded/process.ts'
import { newId } from '../../../runtime/ids.ts'
import { Fail, worker } from '../../../workers/sdk/src/index.ts'
import { serve } from '../../../workers/sdk/src/node.ts'
import { eventually } from '../../support/eventually.ts'
import { freshDatabase } from '../../support/database.ts'
import { spawnRole } from '../../support/role.ts'
import type { Role } from '../../support/role.ts'

export interface ServedEngine {
  readonly url: string
  readonly token: string
  readonly control: Role
  /** Of a worker with the nodes `orders` (a batch of three), `check` (custom), and `refuse`, which fails for good. */
  readonly workerUrl: string
  /** Body of the answer, as JSON; throws for anything but a 2xx. */
  call(method: string, path: string, json?: unknown): Promise<Record<string, unknown>>
}

const token = 'the-admin-token-of-the-proof'

/** A control and a bridge in processes of their own, by the commands of production, and a worker made with the SDK. */
export async function serveEngine(): Promise<ServedEngine> {
  const port = await freePort()
  const namespace = `t_${newId()}`
  const control = spawnRole('control', namespace, {
    SLUICE_POSTGRES_URL: await freshDatabase(),
    SLUICE_ADMIN_TOKEN: token,
    // Wrong tokens are among what is tried.
    SLUICE_FAILURES_PER_MINUTE: '1000000',
    SLUICE_PORT: String(port),
  })
  onTestFinished(() => control.close())
  const bridge = spawnRole('bridge', namespace)
  onTestFinished(() => bridge.close())
  const served = await serve(shop, { port: 0 })
  onTestFinished(() => served.close(1_000))
  const url = `http://127.0.0.1:${port}`
  await eventually('the engine is ready', async () => (await fetch(`${url}/readyz`)).ok, { timeoutMs: 60_000 })
  return { url, token, control, workerUrl: served.url, call: (...call) => call2xx(url, ...call) }
}

const shop = worker({ name: 'shop', version: '1.0.0' })
  .batch('orders', () => Promise.resolve({ records: [{ id: 1 }, { id: 2 }, { id: 3 }], cursor: undefined }))
  .custom('check', ({ body }) => Promise.resolve(body))
  .connector('refuse', () => Promise.reject(new Fail('refused')))

async function call2xx(url: string, method: string, path: string, json?: unknown): Promise<Record<string, unknown>> {
  const headers = {
    authorization: `Bearer ${token}`,
    ...(json !== undefined && { 'content-type': 'application/json' }),
  }
  const init = { method, headers, ...(json !== undefined && { body: JSON.stringify(json) }) }
  const response = await fetch(`${url}${path}`, init)
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
  return (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>
}
