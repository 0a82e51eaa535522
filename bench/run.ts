/** `npm run bench`, compiled as `npm start` is: ratios against peers measured in the same run. Speeds vary between machines, ratios much less. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbedded } from '../runtime/embedded/index.ts'
import { naive, ours, prefetches, round, startEchoWorker } from './hops.ts'
import type { Round } from './hops.ts'
import { limits } from './limits/limits.ts'

const rounds = 5
/** What a limit costs is less than rounds differ. */
const limitRounds = 11
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN

const dataDir = await mkdtemp(join(tmpdir(), 'sluice-bench-'))
const embedded = await startEmbedded({
  dataDir,
  postgresUrl: 'postgres://unused.invalid/none',
  natsServer: process.env.SLUICE_NATS_SERVER,
})
const worker = await startEchoWorker()
const benches = { naive: await naive(embedded.natsUrl, worker.url), ours: await ours(embedded.natsUrl, worker.url) }

console.log(
  '1 KiB messages through two worker nodes, Hono echo worker in its own process; NATS durability: server default',
)
console.log(`medians of ${rounds} rounds, taken in turn; CPU is the bridge's own process`)
console.log('prefetch   naive hops/s   ours hops/s   ratio   naive µs CPU/hop   ours µs CPU/hop')
for (const [prefetch, messages] of Object.entries(prefetches)) {
  const results: Record<keyof typeof benches, Round[]> = { naive: [], ours: [] }
  for (let n = 0; n < rounds; n++) {
    results.naive.push(await round(benches.naive, Number(prefetch), messages))
    results.ours.push(await round(benches.ours, Number(prefetch), messages))
  }
  const [peer = NaN, own = NaN] = [results.naive, results.ours].map((one) =>
    median(one.map(({ hopsPerSecond }) => hopsPerSecond)),
  )
  const cpu = [results.naive, results.ours].map((one) => median(one.map(({ cpuPerHop }) => cpuPerHop)))
  const cells = [
    prefetch,
    peer.toFixed(0),
    own.toFixed(0),
    (own / peer).toFixed(2),
    ...cpu.map((one) => one.toFixed(0)),
  ]
  console.log(cells.map((cell, index) => cell.padStart([8, 14, 13, 7, 18, 17][index] ?? 0)).join(' '))
}
const never = await ours(embedded.natsUrl, worker.url, { rate: 100_000, per: 'second' })
const [free, limited]: [number[], number[]] = [[], []]
for (let n = 0; n < limitRounds; n++) {
  free.push((await round(benches.ours, 20, prefetches[20])).hopsPerSecond)
  limited.push((await round(never, 20, prefetches[20])).hopsPerSecond)
}
const cost = (1 - median(limited) / median(free)) * 100
console.log(`a limit that never binds costs ${cost.toFixed(1)} % of hops/s at prefetch 20`)
await never.close()
await benches.ours.close()
await benches.naive.close()
worker.stop()
await limits(embedded.natsUrl, dataDir)
await embedded.stop()
await rm(dataDir, { recursive: true, force: true })
