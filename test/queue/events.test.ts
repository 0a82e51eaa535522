import { afterEach, expect, test } from 'vitest'
import type { Numbered } from '../../runtime/queue/events.ts'
import { startEngine } from '../support/engine.ts'
import type { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'

let engine: TestEngine | undefined
afterEach(() => engine?.close())

async function watching() {
  const started = (engine = await startEngine([{ name: 'a' }]))
  const { events, connection } = started.queues
  const stream = `${started.namespace}_events`
  const consumers = async (): Promise<string[]> =>
    (await connection.jsm.consumers.list(stream).next()).map(({ name }) => name)
  const read = (signal: AbortSignal) => events.read({ after: null, topologyId: null, signal })
  return { events, connection, stream, consumers, read }
}

test('who watches when the consumer is lost hears what happens after that', async () => {
  const { events, connection, stream, consumers, read } = await watching()
  const stop = new AbortController()
  const seen: Numbered[] = []
  const reading = (async () => {
    for await (const one of read(stop.signal)) seen.push(one)
  })()
  await eventually('it is read', async () => (await consumers()).length === 1)
  for (const name of await consumers()) await connection.jsm.consumers.delete(stream, name)
  events.emit({ kind: 'plan', topologyId: 't', revision: 1 })
  await eventually('the event is heard', () => seen.some(({ event }) => event?.kind === 'plan'))
  stop.abort()
  await reading
})

test('who stops watching leaves nothing behind at the server', async () => {
  const { events, consumers, read } = await watching()
  for (let n = 0; n < 5; n++) {
    const stop = new AbortController()
    for await (const { event } of read(stop.signal)) {
      events.emit({ kind: 'plan', topologyId: 't', revision: n })
      if (event !== null) stop.abort()
    }
  }
  expect(await consumers()).toEqual([])
})
