/** One limit kept by three replicas: how much of it is used, and how many calls are rejected, beside others on the same strict API. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { ours } from './ours.ts'
import { bottleneck, bullmq, startRedis } from './peers.ts'
import type { Caller } from './peers.ts'

const rate = 50
const warmUpMs = 3_000
const measuredMs = 15_000
const enough = (rate * (warmUpMs + measuredMs) * 2) / 1_000

async function startApi(): Promise<{ url: string; stop(): void }> {
  const file = fileURLToPath(new URL('strict-api.js', import.meta.url))
  const child = spawn(process.execPath, [file, String(rate)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  return { url: line.toString().trim(), stop: () => child.stdin.end() }
}

async function counted(url: string): Promise<{ admitted: number; rejected: number }> {
  return (await (await fetch(url)).json()) as { admitted: number; rejected: number }
}

async function measure(start: (url: string) => Promise<Caller>): Promise<void> {
  const api = await startApi()
  const caller = await start(api.url)
  await wait(warmUpMs)
  await counted(api.url)
  await wait(measuredMs)
  const { admitted, rejected } = await counted(api.url)
  await caller.stop()
  api.stop()
  const used = (admitted / ((rate * measuredMs) / 1_000)) * 100
  console.log(`${caller.name.padEnd(22)} ${used.toFixed(1).padStart(6)} ${String(rejected).padStart(9)}`)
}

/** Prints a table. `folder` is for Redis, without which only ours is measured. */
export async function limits(natsUrl: string, folder: string): Promise<void> {
  console.log(
    `\n${rate} calls a second, counted strictly by the API; three replicas share the limit, for ${measuredMs / 1_000} s each`,
  )
  console.log('limiter                % used  rejected')
  await measure((url) => ours(natsUrl, url, rate, enough / 4))
  const redis = await startRedis(folder)
  if (redis === null) return console.log('redis-server is not on this machine (apt install redis-server): no peers')
  await measure((url) => bullmq(redis.path, url, rate, enough))
  await measure((url) => bottleneck(redis.path, url, rate, true))
  await measure((url) => bottleneck(redis.path, url, rate, false))
  await redis.stop()
}
