import { createConnection } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { listen } from '../../../runtime/commands/listen.ts'
import { eventually } from '../../support/eventually.ts'
import { adminToken } from '../open.ts'
import type { TestApi } from '../open.ts'
import { lines, recording, runWhen } from './send.ts'

async function served(t: TestApi): Promise<string> {
  const listening = await listen({ port: 0, host: '127.0.0.1', chosenBy: '--port' })
  onTestFinished(() => listening.close())
  listening.serve((request, env) => t.api.fetch(request, env))
  return listening.url
}

/** A client that sends as it likes, and dies when it likes. */
function client(url: string, key: string | null) {
  const socket = createConnection(Number(new URL(url).port), '127.0.0.1')
  let answer = ''
  socket.on('error', () => undefined)
  socket.on('data', (bytes) => (answer += bytes.toString()))
  const head = [
    'POST /start/orders/start?split=records HTTP/1.1',
    'Host: x',
    `Authorization: Bearer ${adminToken}`,
    'Content-Type: application/x-ndjson',
    'Transfer-Encoding: chunked',
    ...(key === null ? [] : [`Idempotency-Key: ${key}`]),
  ]
  socket.write(`${head.join('\r\n')}\r\n\r\n`)
  return {
    send: (text: string) => void socket.write(`${text.length.toString(16)}\r\n${text}\r\n`),
    end: () => void socket.write('0\r\n\r\n'),
    die: () => void socket.destroy(),
    answer: (what: RegExp) => eventually(`the answer is ${what}`, () => what.test(answer) && answer),
  }
}

const onlyId = (t: TestApi) =>
  eventually('the run is listed', async () => (await t.get('/api/runs')).body.items[0]?.id ?? false)

test('a client that dies in the middle leaves a run that waits for the rest, or without a key one that has ended', async () => {
  const t = await recording()
  const url = await served(t)
  const first = client(url, 'k')
  first.send(lines(0, 1_500))
  const id = await onlyId(t)
  first.die()
  const again = client(url, 'k')
  again.send(lines(0, 1_200))
  again.send(lines(1_200, 1_600))
  again.end()
  expect(await again.answer(/\}$/)).toMatch(new RegExp(`^HTTP/1.1 202 [^]*"runId":"${id}","records":1600`))

  const keyless = client(url, null)
  keyless.send(lines(0, 1_500))
  const other = await eventually('the other run is listed', async () => {
    const { items } = (await t.get('/api/runs')).body
    return items.find((run) => run.id !== id)?.id ?? false
  })
  keyless.die()
  await runWhen(t, other, (run) => (run as { intake?: { state: string } }).intake?.state === 'broken')
})

test('a body that comes byte by byte is the same body', async () => {
  const t = await recording()
  const one = client(await served(t), 'k')
  for (const char of `${lines(0, 5)}x\n`) one.send(char)
  one.end()
  expect(await one.answer(/\}$/)).toMatch(/^HTTP\/1.1 202 [^]*"records":5,"trashed":1/)
})

test('while there is no room a sender is held back, and goes on when there is', async () => {
  let full = false
  const queues = { usedBytes: 0, limitBytes: 100 }
  const disk = () => Promise.resolve(full ? { ...queues, usedBytes: 99 } : queues)
  const t = await recording({ disk })
  const sender = client(await served(t), 'k')
  sender.send(lines(0, 1_001))
  const id = await onlyId(t)
  full = true
  await eventually('starts are refused', async () => {
    const { status } = await t.send('POST', '/start/orders/start?split=records', {
      raw: '1',
      headers: { 'content-type': 'application/x-ndjson' },
    })
    return status === 503
  })
  sender.send(lines(1_001, 2_500))
  sender.end()
  expect((await t.get(`/api/runs/${id}`)).body).toMatchObject({ intake: { state: 'receiving', records: 1_000 } })
  full = false
  expect(await sender.answer(/\}$/)).toMatch(/^HTTP\/1.1 202 [^]*"records":2500/)
})
