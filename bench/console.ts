/** `npm run bench:console`: what it costs the engine that somebody looks at a topology. The browser's own work isn't the engine's, so only its requests are made. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { request } from 'undici'
import { startEchoWorker } from './hops.ts'

/** Queued before it is timed: more than flow in all slots together, whatever the machine. */
const records = 250_000
/** Slots in pairs, one with somebody who looks and one without; which of them is first changes from pair to pair. */
const pairs = 10
const slotMs = 3_000

interface Engine {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  stop(): Promise<void>
}

/** What a page asks for again and again while messages flow: its own paces, see console/src/live/hear.ts. */
interface Asked {
  readonly path: string
  readonly everyMs: number
}

const dataDir = await mkdtemp(join(tmpdir(), 'sluice-bench-'))
const worker = await startEchoWorker()
const engine = await startEngine(dataDir)
try {
  const asked = await flow(engine)
  const { looked, quiet } = await inSlots(() => look(engine, asked))
  const percent = looked.map((rate, n) => (100 * rate) / (quiet[n] ?? NaN))
  const paths = asked.map(({ path, everyMs }) => `${path.replace(/[0-9a-z]{16}/, '…')} every ${everyMs / 1_000} s`)
  console.log(`a topology with a node open: ${paths.join(', ')}, and the stream of events`)
  console.log(`calls a second: ${mean(quiet).toFixed(0)} without, ${mean(looked).toFixed(0)} with it`)
  console.log(`with as percent of without, pair by pair: ${percent.map((one) => one.toFixed(1)).join(' ')}`)
  console.log(`mean ${mean(percent).toFixed(1)} %`)
} finally {
  await engine.stop()
  worker.stop()
  await rm(dataDir, { recursive: true, force: true })
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, one) => sum + one, 0) / values.length
}

/** `sluice dev`, as `npm start` runs it. */
async function startEngine(folder: string): Promise<Engine> {
  const main = fileURLToPath(new URL('../runtime/main.js', import.meta.url))
  const child = spawn(process.execPath, [main, 'dev', '--no-sample', '--port', '0', '--data', folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [url = '', token = ''] = await linkOf(child.stdout)
  return {
    url,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    async stop() {
      child.kill()
      await once(child, 'exit')
    },
  }
}

/** The address and the token that it greets with. What it says later is passed over. */
function linkOf(stdout: Readable): Promise<string[]> {
  return new Promise((resolve, reject) => {
    let said = ''
    stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      const found = /console +(\S+?)\/?#token=(\S+)\n/.exec(said)
      if (found) resolve(found.slice(1))
    })
    stdout.on('end', () => reject(new Error(`the engine has ended: ${said}`)))
  })
}

async function call({ url, headers }: Engine, method: 'GET' | 'POST' | 'PATCH', path: string, body?: string) {
  const reply = await request(`${url}${path}`, { method, headers, ...(body !== undefined && { body }) })
  const text = await reply.body.text()
  if (reply.statusCode >= 300) throw new Error(`${method} ${path}: ${reply.statusCode} ${text}`)
  return JSON.parse(text) as { id: string; items: { id: string }[] }
}

/** Lets all records flow through two nodes, and says what the page of their topology asks for. */
async function flow(engine: Engine): Promise<Asked[]> {
  await call(engine, 'POST', '/api/workers', JSON.stringify({ name: 'echo', urls: [worker.url] }))
  const nodes = ['a', 'b'].map((name) => ({ name, type: 'custom', worker: 'echo', prefetch: 20 }))
  const edges = [
    { from: 'start', to: 'a' },
    { from: 'a', to: 'b' },
  ]
  const document = { name: 'flow', nodes: [{ name: 'start', type: 'start' }, ...nodes], edges }
  const { id } = await call(engine, 'POST', '/api/topologies', JSON.stringify(document))
  await call(engine, 'POST', '/api/topologies/flow/publish')
  const [, a] = (await call(engine, 'GET', '/api/topologies/flow/nodes')).items.map((node) => node.id)
  await call(engine, 'PATCH', `/api/nodes/${a}`, '{"paused":true}')
  const lines = Array.from({ length: records }, (_, n) => JSON.stringify({ n, text: 'x'.repeat(200) })).join('\n')
  const headers = { ...engine.headers, 'content-type': 'application/x-ndjson' }
  await call({ ...engine, headers }, 'POST', '/start/flow/start?split=records', lines)
  await call(engine, 'PATCH', `/api/nodes/${a}`, '{"paused":false}')
  await wait(5_000)
  return [
    { path: `/api/queues?topology=${id}`, everyMs: 2_000 },
    { path: `/api/nodes/${a}/why`, everyMs: 2_000 },
    { path: `/api/trash/groups?topology=${id}&state=open&limit=500`, everyMs: 2_000 },
    { path: `/api/nodes/${a}/history?range=15m`, everyMs: 10_000 },
    { path: '/api/overview?limit=50', everyMs: 5_000 },
  ]
}

/** Calls of the worker in a second, slot by slot. */
async function inSlots(begin: () => () => Promise<void>): Promise<{ quiet: number[]; looked: number[] }> {
  const count = async (): Promise<number> => Number(await (await fetch(`${worker.url}/calls`)).text())
  const slots = { quiet: [] as number[], looked: [] as number[] }
  for (let n = 0; n < pairs * 2; n++) {
    const isLooked = n % 4 === 0 || n % 4 === 3
    const end = isLooked ? begin() : null
    const [before, begun] = [await count(), performance.now()]
    await wait(slotMs)
    const rate = ((await count()) - before) / ((performance.now() - begun) / 1_000)
    ;(isLooked ? slots.looked : slots.quiet).push(rate)
    await end?.()
  }
  return slots
}

/** As a page that is open, until what it returns is called. */
function look(engine: Engine, asked: readonly Asked[]): () => Promise<void> {
  const over = new AbortController()
  const { signal } = over
  const isOver = (error: unknown): void => {
    if (!signal.aborted) throw error
  }
  const hear = async (): Promise<void> => {
    const { body } = await request(`${engine.url}/api/events`, { headers: engine.headers, signal })
    await body.dump({ limit: Infinity, signal })
  }
  const ask = async ({ path, everyMs }: Asked): Promise<void> => {
    for (;;) {
      await call(engine, 'GET', path)
      await wait(everyMs, undefined, { signal })
    }
  }
  const all = [hear(), ...asked.map(ask)].map((one) => one.catch(isOver))
  return async () => {
    over.abort()
    await Promise.all(all)
  }
}
