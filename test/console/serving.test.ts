import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openApi } from '../api/open.ts'

const script = 'console.log(1)\n'.repeat(100)
let folder: string

/** As the build lays it out, with a secret beside it that no path may reach. */
beforeAll(() => {
  const outside = mkdtempSync(join(tmpdir(), 'sluice-console-'))
  folder = join(outside, 'console')
  mkdirSync(join(folder, 'assets'), { recursive: true })
  mkdirSync(join(folder, '.vite'))
  writeFileSync(join(outside, 'secret.js'), 'not for anybody')
  writeFileSync(join(folder, '.vite/manifest.json'), '{}')
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>Sluiceway</title>')
  writeFileSync(join(folder, 'assets/a-1.js'), script)
  writeFileSync(join(folder, 'assets/a-1.js.gz'), gzipSync(script))
})
afterAll(() => rmSync(join(folder, '..'), { recursive: true }))

const page = { accept: 'text/html,*/*;q=0.8' }

test('what a person opens is the first page, kept by nobody, in nobody’s frame, without scripts from elsewhere', async () => {
  const t = await openApi({ consoleFolder: folder })
  for (const path of ['/', '/topologies', '/topologies/orders?node=a', '/apis']) {
    const { status, text, headers } = await t.send('GET', path, { token: null, headers: page })
    expect([path, status, text]).toEqual([path, 200, '<!doctype html><title>Sluiceway</title>'])
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(headers.get('cache-control')).toBe('no-cache')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('referrer-policy')).toBe('same-origin')
    const policy = headers.get('content-security-policy') ?? ''
    expect(policy).toMatch(/default-src 'none'; script-src 'self';.*frame-ancestors 'none'/)
  }
})

test('a file is sent as what it is, packed for who takes it, and kept for a year by its name', async () => {
  const t = await openApi({ consoleFolder: folder })
  const get = (headers: Record<string, string>) => t.send('GET', '/assets/a-1.js', { token: null, headers })
  const plain = await get({})
  expect([plain.status, plain.text, plain.headers.get('content-encoding')]).toEqual([200, script, null])
  expect(plain.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
  expect(plain.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
  expect(plain.headers.get('vary')).toBe('accept-encoding')
  const packed = await get({ 'accept-encoding': 'br;q=0, gzip, deflate' })
  expect(packed.headers.get('content-encoding')).toBe('gzip')
  expect(Number(packed.headers.get('content-length'))).toBeLessThan(script.length)
  expect((await get({ 'accept-encoding': 'gzip;q=0' })).headers.get('content-encoding')).toBe(null)
  const known = await get({ 'if-none-match': plain.headers.get('etag') ?? '' })
  expect([known.status, known.text]).toEqual([304, ''])
  const head = await t.send('HEAD', '/assets/a-1.js', { token: null })
  expect([head.status, head.text]).toEqual([200, ''])
})

test('what belongs to the API is no page, also for a browser that opens it', async () => {
  const t = await openApi({ consoleFolder: folder })
  for (const path of ['/api/nope', '/api', '/start/x/y', '/metrics', '/hooks/x/y/z']) {
    const { text, headers } = await t.send('GET', path, { token: null, headers: page })
    expect([path, headers.get('content-type')]).toEqual([path, 'application/problem+json'])
    expect(text).not.toContain('<title>')
  }
})

test('what a program asks for is no page', async () => {
  const t = await openApi({ consoleFolder: folder })
  const asked = [{}, { accept: 'application/json' }, { ...page, 'sec-fetch-mode': 'cors' }]
  for (const headers of asked) expect((await t.send('GET', '/topologies', { token: null, headers })).status).toBe(401)
  expect((await t.send('POST', '/topologies', { token: null, headers: page })).status).toBe(401)
  expect((await t.send('GET', '/assets/nope.js', { token: null, headers: page })).status).toBe(401)
})

const hostile = [
  ...['/../secret.js', '/assets/../../secret.js', '/%2e%2e/secret.js', '/assets/%2e%2e/%2e%2e/secret.js'],
  ...['/..%2fsecret.js', '/assets/..%5c..%5csecret.js', '/assets/a-1.js%00.html', '//etc/passwd', '/%', '/%ff%fe'],
  ...['/.vite/manifest.json', '/assets', `/${'a'.repeat(60_000)}`],
]

test('no path reaches a file that is not of the console', async () => {
  const t = await openApi({ consoleFolder: folder })
  for (const path of hostile) {
    const { status, text } = await t.send('GET', path, { token: null })
    expect([path, status]).toEqual([path, 401])
    expect(text).not.toContain('not for anybody')
  }
})

test('where the console is not built, its place says how to build it', async () => {
  const t = await openApi({ consoleFolder: join(folder, 'nowhere') })
  const { status, text } = await t.send('GET', '/', { token: null, headers: page })
  expect([status, text]).toEqual([404, expect.stringContaining('npm run build')])
  expect((await t.send('GET', '/topologies', { token: null, headers: page })).status).toBe(401)
})
