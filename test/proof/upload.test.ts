import { readFileSync } from 'node:fs'
import { onTestFinished, expect, test } from 'vitest'
import { freePort } from '../../runtime/embedded/process.ts'
import { newId } from '../../runtime/ids.ts'
import { freshDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { fakeWorker } from '../support/fake-worker.ts'
import { spawnRole } from '../support/role.ts'
import type { Role } from '../support/role.ts'

const token = 'the-admin-token-of-the-proof'
const patient = { timeoutMs: 120_000 }

interface Control {
  readonly url: string
  /** The process that lives. */
  role(): Role
  /** SIGKILL, and another one on the same port. */
  kill(): Promise<void>
  call(method: string, path: string, json?: unknown): Promise<Record<string, unknown>>
}

/** A control in a process of its own with the topology `orders` (start → a) published, and a bridge unless it shall rest. */
async function openControl(workerUrl: string, hasBridge: boolean): Promise<Control> {
  const port = await freePort()
  const namespace = `t_${newId()}`
  const own = { SLUICE_POSTGRES_URL: await freshDatabase(), SLUICE_ADMIN_TOKEN: token, SLUICE_PORT: String(port) }
  let role = spawnRole('control', namespace, own)
  onTestFinished(() => role.close())
  if (hasBridge) {
    const bridge = spawnRole('bridge', namespace)
    onTestFinished(() => bridge.close())
  }
  const url = `http://127.0.0.1:${port}`
  const call: Control['call'] = async (method, path, json) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const answer = await fetch(`${url}${path}`, {
      method,
      headers,
      ...(json !== undefined && { body: JSON.stringify(json) }),
    })
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
  return { url, role: () => role, kill, call }
}

/** Sends `{"n":0}` to `{"n":count - 1}`; `onPiece` may wait, and with it the body. */
async function sendLines(
  { url }: Control,
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
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson', 'idempotency-key': key }
  const init = { method: 'POST', headers, body, duplex: 'half' } as RequestInit
  const answer = await fetch(`${url}/start/orders/start?split=records`, init)
  const said = (await answer.json()) as Record<string, unknown>
  if (answer.status !== 202) throw new Error(`${answer.status} ${JSON.stringify(said)}`)
  return said
}

test('an upload during which control is SIGKILLed again and again is resumed by its key, and each record arrives exactly once', async () => {
  const count = 20_000
  const seen = new Map<number, Set<string>>()
  const worker = await fakeWorker((request) => {
    const { n } = JSON.parse(request.body) as { n: number }
    seen.set(n, (seen.get(n) ?? new Set()).add(request.id))
    return { status: 204 }
  })
  onTestFinished(() => worker.close())
  const control = await openControl(worker.url, true)
  let kills = 0
  const killAt = [3_000, 6_500, 7_000, 13_000, 19_900]
  const onPiece = (sent: number): Promise<unknown> | undefined => {
    const at = killAt[kills]
    if (at === undefined || sent < at) return undefined
    kills++
    return control.kill()
  }
  const taken = await eventually('all of it is sent', () => sendLines(control, count, 'k', onPiece), {
    timeoutMs: 300_000,
  })
  expect(taken).toMatchObject({ records: count, trashed: 0 })
  const run = await eventually(
    'the run has ended',
    async () => {
      const run = await control.call('GET', `/api/runs/${taken.runId as string}`)
      return run.state !== 'running' && run
    },
    { timeoutMs: 300_000 },
  )
  expect(kills).toBe(killAt.length)
  expect(run).toMatchObject({ state: 'finished', messages: { total: count, done: count } })
  expect(seen.size).toBe(count)
  expect([...seen.values()].filter((ids) => ids.size !== 1)).toEqual([])
}, 600_000)

function rssMiB(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kib) / 1024
}

test('an upload of millions of records takes hardly more memory at its end than at a fifth of it', async () => {
  const count = Number(process.env.SLUICE_PROOF_RECORDS ?? 2_000_000)
  const control = await openControl('http://127.0.0.1:1', false)
  let early = 0
  const begun = performance.now()
  await sendLines(control, count, 'k', (sent) => {
    if (early === 0 && sent >= count / 5) early = rssMiB(control.role().pid)
    return undefined
  })
  const seconds = (performance.now() - begun) / 1_000
  const late = rssMiB(control.role().pid)
  console.log(JSON.stringify({ count, recordsPerSecond: Math.round(count / seconds), earlyMiB: early, lateMiB: late }))
  // All of it takes seconds: the process is hardly warm at a fifth.
  expect(late).toBeLessThan(early * 1.2)
}, 600_000)
