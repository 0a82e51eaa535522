import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import Bottleneck from 'bottleneck'
import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { Pool } from 'undici'

/** Something that makes calls to an API, as fast as its limit lets it, until it is stopped. */
export interface Caller {
  readonly name: string
  stop(): Promise<void>
}

/** How many work side by side, with one limit for all of them. */
export const replicas = 3
const concurrency = 10

/** One call; whatever comes of it is counted by the API. */
function callerTo(url: string): { call: () => Promise<void>; close: () => Promise<void> } {
  const pool = new Pool(url, { connections: replicas * concurrency })
  return {
    async call() {
      const { body } = await pool.request({ path: '/', method: 'POST', body: '{}' })
      await body.dump()
    },
    close: () => pool.close(),
  }
}

/** Debian's Redis on a socket of its own, without anything on disk. Null: there is none on this machine. */
export async function startRedis(folder: string): Promise<{ path: string; stop(): Promise<void> } | null> {
  const path = `${folder}/redis.sock`
  const child = spawn('redis-server', ['--port', '0', '--unixsocket', path, '--save', '', '--appendonly', 'no'], {
    stdio: 'ignore',
  })
  const failed = await Promise.race([once(child, 'error').then(() => true), untilListening(path).then(() => false)])
  if (failed) return null
  return {
    path,
    async stop() {
      child.kill()
      await once(child, 'exit')
    },
  }
}

async function untilListening(path: string): Promise<void> {
  for (;;) {
    const socket = connect(path)
    const isUp = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false)
    socket.destroy()
    if (isUp) return
    await wait(20)
  }
}

/** Its limiter is a counter in Redis that begins anew each period. */
export async function bullmq(path: string, url: string, rate: number, jobs: number): Promise<Caller> {
  const connections: Redis[] = []
  const connection = (): Redis => {
    const made = new Redis({ path, maxRetriesPerRequest: null })
    connections.push(made)
    return made
  }
  const { call, close } = callerTo(url)
  const queue = new Queue('calls', { connection: connection() })
  await queue.addBulk(Array.from({ length: jobs }, () => ({ name: 'call', data: {} })))
  const limiter = { max: rate, duration: 1_000 }
  const workers = Array.from(
    { length: replicas },
    () => new Worker('calls', call, { connection: connection(), concurrency, limiter }),
  )
  return {
    name: 'bullmq limiter',
    async stop() {
      await Promise.all(workers.map((worker) => worker.close(true)))
      await queue.close()
      // What it was given it leaves open.
      for (const one of connections) one.disconnect()
      await close()
    },
  }
}

/** `even`: by a shortest time between calls; else by a reservoir that is filled again each period. */
export async function bottleneck(path: string, url: string, rate: number, isEven: boolean): Promise<Caller> {
  const { call, close } = callerTo(url)
  const limit = isEven
    ? { minTime: 1_000 / rate }
    : { reservoir: rate, reservoirRefreshAmount: rate, reservoirRefreshInterval: 1_000 }
  const limiters = Array.from(
    { length: replicas },
    () =>
      new Bottleneck({
        id: isEven ? 'even' : 'reservoir',
        datastore: 'ioredis',
        clearDatastore: true,
        maxConcurrent: replicas * concurrency,
        // By default it looks only every five seconds whether the reservoir has to be filled.
        heartbeatInterval: 250,
        clientOptions: { path },
        Redis,
        ...limit,
      }),
  )
  await Promise.all(limiters.map((limiter) => limiter.ready()))
  let isOver = false
  const lines = limiters.flatMap((limiter) =>
    Array.from({ length: concurrency }, async () => {
      while (!isOver) await limiter.schedule(call).catch(() => undefined)
    }),
  )
  return {
    name: `bottleneck ${isEven ? 'minTime' : 'reservoir'}`,
    async stop() {
      isOver = true
      await Promise.race([Promise.all(lines), wait(3_000)])
      await Promise.all(limiters.map((limiter) => limiter.disconnect(true)))
      await close()
    },
  }
}
