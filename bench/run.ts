/** `npm run bench`: ratios against peers measured in the same run. Speeds vary between machines, ratios much less. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbedded } from '../runtime/embedded/index.ts'
import { naive, ours, prefetches, startEchoWorker } from './hops.ts'

const rounds = 3
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
console.log(`prefetch   naive hops/s   ours hops/s   ratio   (medians of ${rounds} rounds, taken in turn)`)
for (const [prefetch, messages] of Object.entries(prefetches)) {
  const rates: Record<keyof typeof benches, number[]> = { naive: [], ours: [] }
  for (let round = 0; round < rounds; round++) {
    rates.naive.push(await benches.naive.round(Number(prefetch), messages))
    rates.ours.push(await benches.ours.round(Number(prefetch), messages))
  }
  const [peer, own] = [median(rates.naive), median(rates.ours)]
  const cells = [
    prefetch.padStart(8),
    peer.toFixed(0).padStart(14),
    own.toFixed(0).padStart(13),
    (own / peer).toFixed(2).padStart(7),
  ]
  console.log(cells.join(' '))
}
await benches.ours.close()
await benches.naive.close()
worker.stop()
await embedded.stop()
await rm(dataDir, { recursive: true, force: true })
