import { request } from 'node:http'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { worker } from '../../workers/sdk/src/index.ts'
import { serve } from '../../workers/sdk/src/node.ts'

const echo = worker({ name: 'shop', version: '1' }).custom('echo', ({ body }) => body as unknown)

test('a worker that is served answers over HTTP, keeping connections for longer than its clients do', async () => {
  const { url, close } = await serve(echo, { port: 0 })
  const reply = await fetch(`${url}/nodes/echo`, {
    method: 'POST',
    body: '{"a":1}',
    headers: { 'content-type': 'application/json' },
  })
  expect(await reply.json()).toEqual({ a: 1 })
  expect(reply.headers.get('keep-alive')).toBe('timeout=75')
  await close()
})

test('closing waits for the call under way, takes no new one, and may be asked for twice', async () => {
  let finish = (_: string) => {}
  let started = () => {}
  const under = new Promise<void>((resolve) => (started = resolve))
  const slow = worker({ name: 'slow', version: '1' }).custom('wait', () => {
    started()
    return new Promise<string>((resolve) => (finish = resolve))
  })
  const { url, close } = await serve(slow, { port: 0 })
  const reply = fetch(`${url}/nodes/wait`, { method: 'POST' })
  await under
  const closed = Promise.all([close(), close()])
  await expect(fetch(`${url}/healthz`)).rejects.toThrow()
  finish('done')
  expect(await (await reply).text()).toBe('done')
  await closed
})

test('a call that outlasts the grace is cut off', async () => {
  const stuck = worker({ name: 'stuck', version: '1' }).custom('wait', () => new Promise(() => {}))
  const { url, close } = await serve(stuck, { port: 0 })
  const sent = request(`${url}/nodes/wait`, { method: 'POST' })
  const cut = new Promise((resolve) => sent.on('error', resolve))
  await new Promise<void>((resolve) => sent.end(() => resolve()))
  await close(20)
  expect(await cut).toBeInstanceOf(Error)
})

test('a port in use is said in one line', async () => {
  const { port, close } = await serve(echo, { port: 0 })
  await expect(serve(echo, { port })).rejects.toThrow(`can't listen on port ${port} of 127.0.0.1: it is in use; give`)
  await close()
})

test('garbage on the socket is 400 and harms nobody else', async () => {
  const { url, port, close } = await serve(echo, { port: 0 })
  const socket = connect(port, '127.0.0.1')
  const answer = new Promise<string>((resolve) => socket.on('data', (data) => resolve(data.toString())))
  socket.write('\x00\x01 nonsense\r\n\r\n')
  expect(await answer).toMatch('400 Bad Request')
  socket.destroy()
  expect((await fetch(`${url}/healthz`)).status).toBe(200)
  await close()
})

test('a chunked body over 8 MiB is 413 over a real socket', async () => {
  const { url, close } = await serve(echo, { port: 0 })
  const body = new Blob([new Uint8Array(9 * 1024 * 1024)]).stream()
  const reply = await fetch(`${url}/nodes/echo`, { method: 'POST', body, duplex: 'half' })
  expect(reply.status).toBe(413)
  await close()
})

test('header values that are not ASCII arrive as they were sent', async () => {
  const heard: unknown[] = []
  const shop = worker({ name: 'shop', version: '1' }).custom('hear', ({ headers }) => void heard.push(headers['x-raw']))
  const { url, close } = await serve(shop, { port: 0 })
  await new Promise<void>((resolve) => {
    const sent = request(`${url}/nodes/hear`, { method: 'POST', headers: { 'x-raw': '\u00e9%20x' } }, (reply) => {
      reply.resume().on('end', resolve)
    })
    sent.end()
  })
  expect(heard).toEqual(['\u00e9 x'])
  await close()
})
