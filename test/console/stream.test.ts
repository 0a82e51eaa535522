import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { EventSource } from 'undici'
import { expect, onTestFinished, test, vi } from 'vitest'
import { openStream } from '../../console/src/live/stream.ts'

/** Serves one answer after the other, each of which breaks off. */
async function serveStreams(...answers: string[]): Promise<string> {
  const server = createServer((_, response) => {
    const answer = answers.shift()
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(`retry: 1\n\n${answer ?? ''}`)
    // The last one stays.
    if (answers.length > 0) response.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

/** What the page is told while it listens. */
async function listenTo(url: string): Promise<string[]> {
  vi.stubGlobal('EventSource', EventSource)
  const page = Object.assign(new EventTarget(), { hidden: false })
  const told: string[] = []
  const close = openStream(url, page, {
    event: (kind) => void told.push(kind),
    gap: () => void told.push('gap'),
    back: () => void told.push('back'),
    state: () => undefined,
    refused: () => void told.push('refused'),
  })
  onTestFinished(() => {
    close()
    vi.unstubAllGlobals()
  })
  return told
}

const hello = 'id: e-1\nevent: hello\ndata: {}\n\n'
const gap = 'id: e-1\nevent: gap\ndata: {}\n\n'
const run = 'id: e-2\nevent: run\ndata: {}\n\n'

test('a page that opens looks at everything; after a connection that broke off it is told that events are back', async () => {
  const told = await listenTo(await serveStreams(hello, hello + run))
  await expect.poll(() => told, { timeout: 10_000 }).toEqual(['gap', 'back', 'run'])
})

test('events that may be missing after a connection that broke off have everything looked at anew', async () => {
  const told = await listenTo(await serveStreams(hello, gap + run))
  await expect.poll(() => told, { timeout: 10_000 }).toEqual(['gap', 'gap', 'run'])
})
