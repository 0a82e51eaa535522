import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { isDrained, startEngine } from '../support/engine.ts'
import { fakeWorker } from '../support/fake-worker.ts'
import { closing, fast, records } from './flow.ts'

interface Mortal {
  readonly url: string
  /** `node body`, in the order of their coming. */
  readonly seen: string[]
  /** Of each death: how many calls were open, that of the poison with them. */
  readonly deaths: number[]
}

/** A worker that dies of a body that holds "poison": all its connections and its listener are gone, for a moment. */
async function mortalWorker(): Promise<Mortal> {
  const seen: string[] = []
  const deaths: number[] = []
  let open = 0
  let isOver = false
  let isDead = false
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    if (request.method === 'GET') return response.writeHead(200).end()
    open++
    const body = Buffer.concat(chunks).toString()
    seen.push(`${request.url?.split('/').at(-1) ?? ''} ${body}`)
    await delay(20)
    if (body.includes('poison') && !response.destroyed && !isDead) await die(open)
    open--
    return response.writeHead(200).end(body)
  }
  const server = createServer((request, response) => void answer(request, response))
  const die = async (calls: number): Promise<void> => {
    isDead = true
    deaths.push(calls)
    server.closeAllConnections()
    await stop(server)
    await delay(50)
    if (!isOver) server.listen(port, '127.0.0.1')
    isDead = false
  }
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  closing.push({
    close() {
      isOver = true
      server.closeAllConnections()
      return stop(server)
    },
  })
  return { url: `http://127.0.0.1:${port}`, seen, deaths }
}

const stop = (server: Server) => new Promise<void>((resolve) => void server.close(() => resolve()))

/** 30 good records and the poison among them, through the given nodes at mortal workers. */
async function poisoned(
  instances: number,
  nodes: Parameters<typeof startEngine>[0],
  edges?: Parameters<typeof startEngine>[1],
) {
  const items = Array.from({ length: 31 }, (_, n) => (n === 5 ? 'poison' : n))
  const source = await fakeWorker(() => records(items))
  closing.push(source)
  const workers: Mortal[] = []
  for (let i = 0; i < instances; i++) workers.push(await mortalWorker())
  const engine = await startEngine([{ name: 'list', type: 'batch', worker: 'source' }, ...nodes], edges)
  closing.push(engine)
  const address = { dialect: 'native', version: 1, secret: null, timeoutMs: null } as const
  await engine.queues.control.putWorker({ name: 'source', urls: [source.url], ...address })
  await engine.setWorker(...workers.map(({ url }) => url))
  await engine.openBridge()
  await engine.start('{}')
  const outcomes = await engine.outcomesUntil(isDrained)
  return {
    workers,
    ended: outcomes.filter(({ kind }) => kind === 'ended').length,
    trashed: outcomes.filter((one) => one.kind === 'trashed'),
    engine,
  }
}

const retry = { ...fast, attempts: 5 }

test.each([1, 2])(
  'a message that kills its worker ends in Trash as worker-crash, and none of the 30 around it does (%i instances)',
  async (instances) => {
    const { workers, ended, trashed } = await poisoned(instances, [{ name: 'work', prefetch: 10, retry }])
    expect(ended).toBe(30)
    expect(trashed.map(({ error }) => error.type)).toEqual(['urn:sluice:worker-crash'])
    expect(trashed[0]?.error.title).toContain('5 times')
    expect(trashed[0]?.attempts).toHaveLength(5)
    const deaths = workers.flatMap((worker) => worker.deaths)
    expect(deaths).toHaveLength(5)
    // From the third time on it is called alone.
    expect(deaths.filter((calls) => calls === 1).length).toBeGreaterThanOrEqual(3)
  },
)

test('on an ordered node the others go on in their order after the poison has gone to Trash', async () => {
  const { workers, ended, trashed } = await poisoned(1, [{ name: 'work', retry }])
  expect([ended, trashed.map(({ error }) => error.type)]).toEqual([30, ['urn:sluice:worker-crash']])
  const work = workers.flatMap(({ seen }) => seen).map((text) => text.slice('work '.length))
  const expected = Array.from({ length: 31 }, (_, n) => (n === 5 ? '"poison"' : String(n)))
  expect([...new Set(work)]).toEqual(expected)
  expect(work).toHaveLength(35)
})

test('several nodes of the worker that dies lose nothing either', async () => {
  const edges = [
    ['start', 'list'],
    ['list', 'work'],
    ['work', 'more'],
    ['list', 'other'],
  ].map(([from, to]) => ({ from: from!, to: to! }))
  const nodes = [
    { name: 'work', prefetch: 5, retry },
    { name: 'more', prefetch: 5, retry },
    { name: 'other', retry },
  ]
  const { ended, trashed, engine } = await poisoned(1, nodes, edges)
  // The poison goes to two nodes.
  expect(ended).toBe(60)
  expect(trashed.map(({ nodeId }) => nodeId).sort()).toEqual([engine.id('work'), engine.id('other')].sort())
  expect(new Set(trashed.map(({ error }) => error.type))).toEqual(new Set(['urn:sluice:worker-crash']))
})
