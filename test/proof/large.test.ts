import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { closing } from '../bridge/flow.ts'
import { startEngine } from '../support/engine.ts'
import { spawnRole } from '../support/role.ts'

/** Nearly the limit of a message. */
const large = 'x'.repeat(7_900_000)
const prefetch = 5

/** A worker that keeps nothing of what it is sent: `a` answers with as much, `b` with nothing. */
async function startWorker(): Promise<string> {
  const server = createServer((request, response) => {
    request
      .resume()
      .on('end', () => (request.url?.endsWith('/a') ? response.end(large) : response.writeHead(204).end()))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push({ close: () => void server.close() })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** The most memory that a process ever had, in MiB. */
function peakMiB(pid: number): number {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kib) / 1024
}

test('a bridge through which large messages flow takes no more memory the more of them there are', async () => {
  const engine = await startEngine([
    { name: 'a', prefetch },
    { name: 'b', prefetch },
  ])
  closing.push(engine)
  await engine.setWorker(await startWorker())
  const bridge = spawnRole('bridge', engine.namespace)
  closing.push(bridge)
  let total = 0
  const flow = async (count: number): Promise<number> => {
    for (let n = 0; n < count; n++) await engine.start(large)
    total += count
    await engine.outcomesUntil((all) => all.filter(({ kind }) => kind === 'ended').length === total)
    return peakMiB(bridge.pid)
  }
  const [few, many] = [await flow(60), await flow(120)]
  console.log(JSON.stringify({ prefetch, few, many }))
  expect(many).toBeLessThan(few * 1.25)
}, 120_000)
