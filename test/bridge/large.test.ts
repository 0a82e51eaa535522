import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { isDrained } from '../support/engine.ts'
import { closing, echo, flow } from './flow.ts'

const mib = 1024 * 1024
const largest = `"${'x'.repeat(8 * mib - 2)}"`
const headers = { 'x-much': 'h'.repeat(4_000) }

test('a message of exactly 8 MiB with 4 KiB of headers goes all the way', async () => {
  const { engine, worker } = await flow([{ name: 'a' }, { name: 'b' }], echo)
  await engine.start(largest, { headers })
  const outcomes = await engine.outcomesUntil(isDrained)
  expect(outcomes.at(-1)).toMatchObject({ kind: 'ended', nodeId: engine.id('b') })
  expect(worker.seen.map(({ node, body }) => [node, body.length])).toEqual([
    ['a', 8 * mib],
    ['b', 8 * mib],
  ])
})

test('a message of 8 MiB that fails finally is whole in Trash, with its attempts', async () => {
  const { engine } = await flow([{ name: 'a' }], () => ({ status: 422, body: 'e'.repeat(100_000) }))
  await engine.start(largest, { headers })
  const [, trashed] = await engine.outcomesUntil(isDrained)
  if (trashed?.kind !== 'trashed') throw new Error('not in Trash')
  expect(trashed.body.byteLength).toBe(8 * mib)
  expect(trashed.attempts).toHaveLength(1)
})

test('a reply of 8 MiB and one byte puts its message into Trash', async () => {
  const { engine } = await flow([{ name: 'a' }], () => ({ body: 'x'.repeat(8 * mib + 1) }))
  await engine.start('"small"')
  const outcomes = await engine.outcomesUntil(isDrained)
  expect(outcomes.at(-1)).toMatchObject({ kind: 'trashed', error: { type: 'urn:sluice:reply-too-large' } })
})

test('a reply without an end is cut off after 8 MiB', async () => {
  const { engine } = await flow([{ name: 'a' }], echo)
  let sent = 0
  const endless = createServer((_, response) => {
    const chunk = Buffer.alloc(64 * 1024, 'x')
    const pour = (): void => {
      while (!response.destroyed && response.write(chunk)) sent += chunk.length
    }
    response.on('drain', pour)
    pour()
  })
  await new Promise<void>((resolve) => endless.listen(0, '127.0.0.1', resolve))
  closing.push({
    close: async () => {
      endless.closeAllConnections()
      await new Promise((resolve) => endless.close(resolve))
    },
  })
  const { port } = endless.address() as AddressInfo
  await engine.queues.control.putWorker({
    name: 'w',
    urls: [`http://127.0.0.1:${port}`],
    dialect: 'native',
    version: 2,
    secret: null,
    timeoutMs: null,
  })
  await engine.start('"small"')
  const outcomes = await engine.outcomesUntil(isDrained)
  expect(outcomes.at(-1)).toMatchObject({ kind: 'trashed', error: { type: 'urn:sluice:reply-too-large' } })
  // What was under way in sockets' buffers comes on top of it.
  expect(sent).toBeLessThan(32 * mib)
})
