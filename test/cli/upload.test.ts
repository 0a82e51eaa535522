import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { takenText } from '../../runtime/commands/client/upload/upload.ts'
import { adminToken } from '../api/open.ts'
import { lines, recording } from '../api/upload/send.ts'
import { inside, openCli } from './inside.ts'

function fileWith(name: string, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-upload-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

test('a file is sent record by record, its run is printed, and the same key sends it once', async () => {
  const { run } = await openCli(await recording())
  const file = fileWith('orders.ndjson', `${lines(0, 1_500)}x\n`)
  const args = ['run', 'orders', 'start', '--data', `@${file}`, '--split', 'records', '--key', 'k']
  const first = await run(...args)
  expect(first).toMatchObject({ code: 0, stderr: '1 500 records, 1 that is none in Trash\n' })
  expect(await run(...args)).toEqual(first)
  writeFileSync(file, lines(1, 1_500))
  expect(await run(...args)).toMatchObject({ code: 1, stderr: expect.stringMatching(/another body/) as string })
})

test('a connection that breaks is taken up again', async () => {
  const t = await recording()
  const { url } = await openCli(t)
  let broken = 0
  const proxy = createServer((request, response) => {
    if (broken++ < 2) return void request.once('data', () => request.socket.destroy())
    const headers = new Headers(
      Object.entries(request.headers).flatMap(([key, value]) =>
        /^(authorization|content-type|idempotency-key)$/.test(key) ? [[key, String(value)]] : [],
      ),
    )
    void fetch(`${url}${request.url}`, {
      method: 'POST',
      headers,
      body: request as never,
      duplex: 'half',
    }).then(async (answer) => {
      response
        .writeHead(answer.status, { 'content-type': 'application/json', 'sluice-version': '0' })
        .end(await answer.text())
    })
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void proxy.close())
  const file = fileWith('orders.csv', `n\n${'1\n'.repeat(10)}`)
  const where = ['--url', `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, '--token', adminToken]
  const sent = await inside(['run', 'orders', 'start', '--data', `@${file}`, '--split', 'records', ...where])
  expect(sent.stderr).toBe('10 records\n')
  expect(broken).toBe(3)
})

test('what is wrong with an upload is said before an engine is looked for', async () => {
  const say = async (...args: string[]) => (await inside(['run', 'orders', ...args, '--split', 'records'])).stderr
  expect(await say('--data', '@x.csv')).toMatch(/--split needs the start node/)
  expect(await say('start')).toMatch(/--split needs a file or stdin/)
  expect(await say('start', '--data', '{"a":1}')).toMatch(/--split needs a file or stdin/)
  expect(await say('start', '--data', '@x.bin')).toMatch(/--content-type has to say what x.bin is/)
  expect(await say('start', '--data', '@/no/such/file.csv')).toMatch(/no\/such\/file\.csv can't be read/)
})

test('one record is told as one', () => {
  expect(takenText({ runId: 'r', records: 1, trashed: 1 })).toBe('1 record, 1 that is none in Trash')
  expect(takenText({ runId: 'r', records: 2, trashed: 2 })).toBe('2 records, 2 that are none in Trash')
})
