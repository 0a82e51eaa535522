import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { serveEngine } from './engine.ts'
import type { ServedEngine } from './engine.ts'

const mib = 1024 * 1024

/** The most memory that a process ever had, in MiB. */
function peakMiB(pid: number): number {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kib) / 1024
}

/** Sends that many MiB without announcing how many; the status of the answer, or null when the connection was cut off before. */
function flood({ url, token }: ServedEngine, path: string, size: number): Promise<number | null> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const chunk = Buffer.alloc(mib, '[')
  return new Promise((resolve) => {
    const sending = request(`${url}${path}`, { method: 'POST', headers }, (response) => {
      response.resume()
      resolve(response.statusCode ?? null)
    })
    sending.on('error', () => resolve(null))
    let sent = 0
    const more = (): void => {
      while (sent < size && !sending.destroyed)
        if ((sent++, !sending.write(chunk))) return void sending.once('drain', more)
      sending.end()
    }
    more()
  })
}

test('bodies of 100 MB are refused, several at a time, in bounded memory', async () => {
  const engine = await serveEngine()
  const paths = ['/api/topologies', '/api/workers', '/start/a/b', '/api/topologies/a/run']
  const before = peakMiB(engine.control.pid)
  for (let round = 0; round < 3; round++) {
    const all = await Promise.all(paths.map((path) => flood(engine, path, 100)))
    for (const status of all) expect([413, 404, null]).toContain(status)
    expect((await fetch(`${engine.url}/healthz`)).status).toBe(200)
  }
  const after = peakMiB(engine.control.pid)
  console.log(JSON.stringify({ before, after }))
  expect(after - before).toBeLessThan(200)
}, 120_000)

test('whatever the body, every operation that takes one answers it or says why not', async () => {
  const engine = await serveEngine()
  const { paths } = (await engine.call('GET', '/api/openapi.json')) as {
    paths: Record<string, Record<string, { requestBody?: object }>>
  }
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).flatMap(([method, { requestBody }]) => (requestBody ? [{ method, path }] : [])),
  )
  const body = fc.oneof(
    fc.uint8Array({ maxLength: 2_000 }).map((bytes) => Buffer.from(bytes)),
    fc.json().map((text) => Buffer.from(text)),
    fc.dictionary(fc.constantFrom('name', 'nodes', 'urls', '__proto__', 'a\u0000'), fc.jsonValue()).map(jsonOf),
    fc
      .constantFrom("'; drop table runs; --", '\r\nx-a: b', '\u0000', '\ud800')
      .map((name) => jsonOf({ name, nodes: [] })),
    fc.constantFrom('[', '{"a":').map((open) => Buffer.from(open.repeat(100_000))),
  )
  const types = fc.constantFrom('application/json', 'application/xml', 'text/plain', 'a', '')
  const sent = fc.record({ operation: fc.constantFrom(...operations), body, type: types })
  await fc.assert(
    fc.asyncProperty(sent, (one) => isAnswered(engine, one)),
    { numRuns: 1_500 },
  )
  expect((await fetch(`${engine.url}/readyz`)).status).toBe(200)
}, 180_000)

const jsonOf = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))

async function isAnswered(
  { url, token }: ServedEngine,
  { operation, body, type }: { operation: { method: string; path: string }; body: Buffer; type: string },
): Promise<void> {
  const path = operation.path.replaceAll(/\{\w+\}/g, 'nobody')
  const headers = { authorization: `Bearer ${token}`, 'content-type': type }
  const answer = await fetch(`${url}${path}`, { method: operation.method.toUpperCase(), headers, body })
  const text = await answer.text()
  if (answer.ok) return
  const { status, detail } = JSON.parse(text) as { status: number; detail: string }
  expect([answer.headers.get('content-type'), status]).toEqual(['application/problem+json', answer.status])
  expect([answer.status < 500, detail.length > 0]).toEqual([true, true])
}
