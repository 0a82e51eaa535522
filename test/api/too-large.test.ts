import { connect } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { listen } from '../../runtime/commands/listen.ts'
import { adminToken, openApi, published } from './open.ts'
import type { TestApi } from './open.ts'

const mib = 1024 * 1024
const path = '/start/orders/start'

async function served(): Promise<{ t: TestApi; port: number }> {
  const t = await openApi()
  await published(t, 'orders')
  const listening = await listen({ port: 0, host: '127.0.0.1', chosenBy: 'the test' })
  onTestFinished(() => listening.close())
  listening.serve((request, env) => t.api.fetch(request, env))
  return { t, port: listening.port }
}

/** Sends a request head and a body as they are, and reads until the server closes; answers that, and how much was sent. */
async function exchange(
  port: number,
  head: string[],
  body: () => Buffer | null,
): Promise<{ reply: string; sent: number }> {
  const socket = connect({ port, host: '127.0.0.1' })
  let sent = 0
  let reply = ''
  socket.on('data', (part) => (reply += part.toString('latin1')))
  // What the server doesn't read any more is refused by the system.
  socket.on('error', () => undefined)
  socket.write(
    [`POST ${path} HTTP/1.1`, 'host: x', `authorization: Bearer ${adminToken}`, ...head, '', ''].join('\r\n'),
  )
  const pour = (): void => {
    for (let part = body(); part !== null && reply === '' && !socket.destroyed; part = body()) {
      sent += part.length
      if (!socket.write(part)) return
    }
  }
  socket.on('drain', pour)
  pour()
  await new Promise((resolve) => socket.once('close', resolve))
  return { reply, sent }
}

const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(0x10000), Buffer.from('\r\n')])
const lastChunk = Buffer.from('0\r\n\r\n')

test('who sends a few bytes too many, in chunks or not, is told so after the last one', async () => {
  const { port } = await served()
  const chunks = [...Array.from({ length: 129 }, () => chunk), lastChunk]
  const chunked = await exchange(port, ['transfer-encoding: chunked'], () => chunks.shift() ?? null)
  expect(chunked.reply).toMatch(/^HTTP\/1\.1 413 [^]*the body is larger than 8388608 bytes/)
  const whole = [Buffer.alloc(8 * mib + 1)]
  const announced = await exchange(port, [`content-length: ${8 * mib + 1}`], () => whole.shift() ?? null)
  expect(announced.reply).toMatch(/^HTTP\/1\.1 413 /)
})

test('who sends chunks without an end is cut off', async () => {
  const { port } = await served()
  const { sent } = await exchange(port, ['transfer-encoding: chunked'], () => chunk)
  // What was under way in the sockets' buffers comes on top of the 32 MiB that are read.
  expect(sent).toBeLessThan(64 * mib)
})

test.each([
  ['of more than 32 MiB', String(32 * mib + 1), 413],
  ['of as much as a number can say', String(Number.MAX_SAFE_INTEGER), 413],
  ['beyond all numbers', '9'.repeat(40), 400],
  ['below nothing', '-1', 400],
  ['that is a word', 'plenty', 400],
  ['given twice', '1\r\ncontent-length: 2', 400],
  ['beside chunks', '1\r\ntransfer-encoding: chunked', 400],
])('a length %s is refused before a byte of the body', async (_, length, status) => {
  const { port } = await served()
  const { reply } = await exchange(port, [`content-length: ${length}`], () => null)
  expect(reply).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
})

test('a JSON body that grows beyond 8 MiB when it is written as a message is refused', async () => {
  const t = await openApi()
  await published(t, 'orders')
  const numbers = `[${'1e20,'.repeat(mib)}1]`
  const headers = { 'content-type': 'application/json' }
  const answer = await t.send('POST', '/api/topologies/orders/run', { raw: `{"body":${numbers}}`, headers })
  expect(answer.status).toBe(413)
})
