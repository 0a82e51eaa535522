/** How long a sender waits for the answer to a delivery: signed by GitHub's scheme, each with an id of its own, 2 KiB of JSON. */
import { createHmac } from 'node:crypto'
import { request } from 'undici'
import { timingOf } from './reads.ts'
import type { Timing } from './reads.ts'

type Call = (method: 'GET' | 'POST' | 'PUT', path: string, json?: unknown) => Promise<unknown>

const secret = 'the secret of the benchmark'
const document = {
  name: 'hooks',
  nodes: [
    { name: 'hook', type: 'webhook', verify: { scheme: 'github' } },
    { name: 'echo', type: 'custom', worker: 'echo' },
  ],
  edges: [{ from: 'hook', to: 'echo' }],
}

/** One delivery after the other, and ten at a time. Makes the topology `hooks`, and leaves it there. */
export async function timeWebhooks(call: Call, times: number): Promise<Timing[]> {
  await call('POST', '/api/workers', { name: 'echo', urls: ['http://127.0.0.1:9'] }).catch(() => null)
  await call('POST', '/api/topologies', document)
  await call('POST', '/api/topologies/hooks/publish')
  const { items } = (await call('GET', '/api/topologies/hooks/nodes')) as { items: { id: string }[] }
  const path = `/api/nodes/${items[0]?.id ?? ''}/webhook`
  const { url } = (await call('PUT', path, { secret })) as { url: string }
  await deliver(url, 20, 1, 'warm')
  return [
    timingOf('webhook: one delivery after the other', await deliver(url, times, 1, 'one')),
    timingOf('webhook: ten at a time', await deliver(url, times, 10, 'ten')),
  ]
}

async function deliver(url: string, times: number, atOnce: number, name: string): Promise<number[]> {
  const all: number[] = []
  const one = async (n: number): Promise<void> => {
    const body = JSON.stringify({ n, text: 'x'.repeat(2_000) })
    const mac = createHmac('sha256', secret).update(body).digest('hex')
    const headers = { 'x-hub-signature-256': `sha256=${mac}`, 'x-github-delivery': `${name}-${n}` }
    const begun = performance.now()
    const reply = await request(url, { method: 'POST', body, headers })
    await reply.body.dump()
    if (reply.statusCode !== 202) throw new Error(`a delivery was answered with ${reply.statusCode}`)
    all.push(performance.now() - begun)
  }
  const line = async (from: number): Promise<void> => {
    for (let n = from; n < times; n += atOnce) await one(n)
  }
  await Promise.all(Array.from({ length: atOnce }, (_, from) => line(from)))
  return all
}
