/** `npm run bench:console`: what it costs the engine that somebody looks at a topology. The browser's own work isn't the engine's, so only its requests are made. */
import { spawn } from 'node:child_process'
import { once, setMaxListeners } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { request } from 'undici'
import { startEchoWorker } from './hops.ts'

/** Queued before it is timed: more than flow in all slots together, whatever the machine. */
const records = 350_000
/** Slots in pairs, one with somebody who looks and one without; which of them is first changes from pair to pair. */
const pairs = 10
const slotMs = 4_000
const restMs = 10_000
/** One costs less than slots differ from each other; so many together can be measured. */
const viewers = 10

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
  const { asked, paused } = await fill(engine)
  const paths = asked.map(({ path, everyMs }) => `${path.replace(/[0-9a-z]{16}/, '…')} every ${everyMs / 1_000} s`)
  console.log(`a topology with a node open: ${paths.join(', ')}, and the stream of events`)
  const resting = await atRest(engine, asked)
  console.log(`${viewers} of them while nothing flows: ${resting.toFixed(1)} % of the machine`)
  await call(engine, 'PATCH', `/api/nodes/${paused}`, '{"paused":false}')
  await wait(5_000)
  const { looked, quiet } = await inSlots(() => look(engine, asked))
  console.log(`calls a second: ${mean(rates(quiet)).toFixed(0)} without, ${mean(rates(looked)).toFixed(0)} with them`)
  const [without, withThem] = [costs(quiet), costs(looked)]
  const more = withThem.map((cost, n) => 100 * (cost / (without[n] ?? NaN) - 1))
  const [before, now] = [mean(without), mean(withThem)]
  console.log(`of the machine for a call: ${before.toFixed(0)} µs without, ${now.toFixed(0)} µs with them`)
  console.log(
    `more of it, pair by pair: ${more.map((one) => one.toFixed(1)).join(' ')} %; median ${median(more).toFixed(1)} %`,
  )
  console.log(`for each of them: ${(median(more) / viewers).toFixed(1)} %`)
} finally {
  await engine.stop()
  worker.stop()
  await rm(dataDir, { recursive: true, force: true })
}

/** `busyMs`: of all cores but for this process, which is those who look: all that a call costs where engine, worker and stores share them. */
interface Slot {
  readonly calls: number
  readonly elapsedMs: number
  readonly busyMs: number
}

function rates(slots: readonly Slot[]): number[] {
  return slots.map(({ calls, elapsedMs }) => (calls * 1_000) / elapsedMs)
}

/** Steadier than calls a second, in which each wait for the disk is one that somebody who looks isn't to blame for. */
function costs(slots: readonly Slot[]): number[] {
  return slots.map(({ busyMs, calls }) => (busyMs * 1_000) / calls)
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  return mean(sorted.slice(Math.ceil(middle) - 1, Math.floor(middle) + 1))
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

/** Queues all records before the first of two nodes, which is paused, and says what the page of their topology asks for. */
async function fill(engine: Engine): Promise<{ asked: Asked[]; paused: string }> {
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
  const asked = [
    { path: `/api/queues?topology=${id}`, everyMs: 2_000 },
    { path: `/api/nodes/${a}/why`, everyMs: 2_000 },
    { path: `/api/trash/groups?topology=${id}&state=open&limit=500`, everyMs: 2_000 },
    { path: `/api/nodes/${a}/history?range=15m`, everyMs: 10_000 },
    { path: '/api/overview?limit=50', everyMs: 5_000 },
  ]
  return { asked, paused: String(a) }
}

/** In percent of all cores: what somebody costs who looks while nothing flows, so that nothing else is in the figure. */
async function atRest(engine: Engine, asked: readonly Asked[]): Promise<number> {
  const percentIn = async (): Promise<number> => {
    const { busyMs, elapsedMs } = await timedSlot(restMs)
    return (100 * busyMs) / (elapsedMs * cpus().length)
  }
  const before = await percentIn()
  const end = look(engine, asked)
  const withIt = await percentIn()
  await end()
  return withIt - (before + (await percentIn())) / 2
}

/** What flows and what it costs, slot by slot. */
async function inSlots(begin: () => () => Promise<void>): Promise<{ quiet: Slot[]; looked: Slot[] }> {
  const slots = { quiet: [] as Slot[], looked: [] as Slot[] }
  for (let n = 0; n < pairs * 2; n++) {
    const isLooked = n % 4 === 1 || n % 4 === 2
    const end = isLooked ? begin() : null
    ;(isLooked ? slots.looked : slots.quiet).push(await timedSlot(slotMs))
    await end?.()
  }
  return slots
}

async function timedSlot(ms: number): Promise<Slot> {
  const count = async (): Promise<number> => Number(await (await fetch(`${worker.url}/calls`)).text())
  const [before, begun, busyBefore] = [await count(), performance.now(), busyOfOthers()]
  await wait(ms)
  const [calls, busyMs] = [(await count()) - before, busyOfOthers() - busyBefore]
  return { calls, elapsedMs: performance.now() - begun, busyMs }
}

function busyOfOthers(): number {
  const { user, system } = process.cpuUsage()
  const ofAll = cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0)
  return ofAll - (user + system) / 1_000
}

/** As so many pages that are open, until what it returns is called. */
function look(engine: Engine, asked: readonly Asked[]): () => Promise<void> {
  const over = new AbortController()
  const { signal } = over
  setMaxListeners(0, signal)
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
  const each = Array.from({ length: viewers }, () => [hear(), ...asked.map(ask)]).flat()
  const all = each.map((one) => one.catch(isOver))
  return async () => {
    over.abort()
    await Promise.all(all)
  }
}
