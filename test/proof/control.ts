import { readFileSync } from 'node:fs'
import { onTestFinished } from 'vitest'
import { freePort } from '../../runtime/embedded/process.ts'
import { newId } from '../../runtime/ids.ts'
import { freshDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { fakeWorker } from '../support/fake-worker.ts'
import type { FakeWorker } from '../support/fake-worker.ts'
import { spawnRole } from '../support/role.ts'
import type { Role } from '../support/role.ts'

const token = 'the-admin-token-of-the-proof'
const patient = { timeoutMs: 120_000 }

export interface Control {
  readonly url: string
  /** Of its database. */
  readonly postgresUrl: string
  /** The process that lives. */
  role(): Role
  /** SIGKILL, and another one on the same port. */
  kill(): Promise<void>
  /** The same with the bridge, if it has one. */
  killBridge(): Promise<void>
  /** What the process that lives takes of memory. */
  rssMiB(): number
  call(method: string, path: string, json?: unknown, more?: Record<string, string>): Promise<Record<string, unknown>>
  /** An answer as it comes. */
  ask(path: string, init?: RequestInit): Promise<Response>
}

/** A control in a process of its own with the topology `orders` (start → a) published, and a bridge unless it shall rest. */
export async function openControl(workerUrl: string, hasBridge: boolean): Promise<Control> {
  const port = await freePort()
  const namespace = `t_${newId()}`
  const postgresUrl = await freshDatabase()
  const own = { SLUICE_POSTGRES_URL: postgresUrl, SLUICE_ADMIN_TOKEN: token, SLUICE_PORT: String(port) }
  let role = spawnRole('control', namespace, own)
  onTestFinished(() => role.close())
  let bridge = hasBridge ? spawnRole('bridge', namespace) : null
  onTestFinished(() => bridge?.close())
  const url = `http://127.0.0.1:${port}`
  const ask: Control['ask'] = (path, init = {}) =>
    fetch(`${url}${path}`, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } })
  const call: Control['call'] = async (method, path, json, more = {}) => {
    const headers = { 'content-type': 'application/json', ...more }
    const answer = await ask(path, { method, headers, ...(json !== undefined && { body: JSON.stringify(json) }) })
    const body = (await answer.json()) as Record<string, unknown>
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(body)}`)
    return body
  }
  await eventually(
    'control serves',
    async () => (await fetch(`${url}/healthz`)).ok && call('GET', '/api/topologies'),
    patient,
  )
  await call('POST', '/api/workers', { name: 'w', urls: [workerUrl] })
  const nodes = [
    { name: 'start', type: 'start' },
    { name: 'a', type: 'custom', worker: 'w', prefetch: 20 },
  ]
  await call('POST', '/api/topologies', { name: 'orders', nodes, edges: [{ from: 'start', to: 'a' }] })
  await call('POST', '/api/topologies/orders/publish')
  const kill = async (): Promise<void> => {
    await role.end('SIGKILL')
    role = spawnRole('control', namespace, own)
  }
  const killBridge = async (): Promise<void> => {
    await bridge?.end('SIGKILL')
    bridge = spawnRole('bridge', namespace)
  }
  const rssMiB = (): number => {
    const pages = Number(readFileSync(`/proc/${role.pid}/statm`, 'utf8').split(' ')[1])
    return Math.round((pages * 4_096) / 1_048_576)
  }
  return { url, postgresUrl, role: () => role, kill, killBridge, rssMiB, call, ask }
}

/** A worker that takes such lines, and notes the ids of the messages that came with each number. */
export async function numbersWorker(): Promise<{ worker: FakeWorker; seen: ReadonlyMap<number, ReadonlySet<string>> }> {
  const seen = new Map<number, Set<string>>()
  const worker = await fakeWorker((request) => {
    const { n } = JSON.parse(request.body) as { n: number }
    seen.set(n, (seen.get(n) ?? new Set()).add(request.id))
    return { status: 204 }
  })
  onTestFinished(() => worker.close())
  return { worker, seen }
}

/** Sends `{"n":0}` to `{"n":count - 1}`; `onPiece` may wait, and with it the body. */
export async function sendLines(
  { ask }: Control,
  count: number,
  key: string,
  onPiece: (sent: number) => Promise<unknown> | undefined,
): Promise<Record<string, unknown>> {
  let n = 0
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (n >= count) return controller.close()
      const upTo = Math.min(n + 500, count)
      let text = ''
      for (; n < upTo; n++) text += `{"n":${n},"pad":"${'x'.repeat(80)}"}\n`
      controller.enqueue(Buffer.from(text))
      await onPiece(n)
    },
  })
  const headers = { 'content-type': 'application/x-ndjson', 'idempotency-key': key }
  const init = { method: 'POST', headers, body, duplex: 'half' } as RequestInit
  const answer = await ask('/start/orders/start?split=records', init)
  const said = (await answer.json()) as Record<string, unknown>
  if (answer.status !== 202) throw new Error(`${answer.status} ${JSON.stringify(said)}`)
  return said
}
