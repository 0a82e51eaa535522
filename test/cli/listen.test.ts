import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { listen } from '../../runtime/commands/listen.ts'

/** Everything that comes back for these bytes. */
async function answerTo(bytes: string): Promise<string> {
  const listening = await listen({ port: 0, host: '127.0.0.1', chosenBy: '--port' })
  onTestFinished(() => listening.close())
  const socket = connect(listening.port, '127.0.0.1')
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  socket.write(bytes)
  await once(socket, 'close')
  return Buffer.concat(chunks).toString()
}

test.each([
  ['a method that nobody knows', 'FETCH /api/status HTTP/1.1\r\nhost: x\r\n\r\n', 400, 'Invalid method'],
  ['what is no HTTP', '\u0016\u0003\u0001\r\n\r\n', 400, ''],
  ['headers without an end', `GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, 431, 'too large'],
])('%s is refused as a problem', async (_, bytes, status, detail) => {
  const answer = await answerTo(bytes)
  const [head = '', body = ''] = answer.split('\r\n\r\n')
  expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} .*content-type: application/problem\\+json`, 'is'))
  expect(JSON.parse(body)).toMatchObject({ status, detail: expect.stringContaining(detail) as string })
})
