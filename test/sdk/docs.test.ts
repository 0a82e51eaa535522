import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { worker, type Worker } from '../../workers/sdk/src/index.ts'
import { eventually } from '../support/eventually.ts'
import { call, service } from './support.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Code blocks of a page: language, name (TypeScript blocks have one) and content. */
async function blocks(file: string): Promise<{ language: string; name: string; content: string }[]> {
  const text = await readFile(join(root, file), 'utf8')
  return [...text.matchAll(/^```(\w+) ?(\S*)\n(.*?)^```$/gms)].map(([, language = '', name = '', content = '']) => {
    return { language, name, content }
  })
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-docs-'))
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  await writeFile(join(folder, 'package.json'), '{"type":"module"}')
  for (const { name, content } of await blocks('workers/sdk/README.md')) await writeFile(join(folder, name), content)
})
afterAll(() => rm(folder, { recursive: true }))

async function snippet(name: string): Promise<Worker> {
  const module = (await import(/* @vite-ignore */ pathToFileURL(join(folder, name)).href)) as { default: Worker }
  return module.default
}

const freePort = () =>
  new Promise<number>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })

describe('the README of the SDK', () => {
  test('has only snippets that are run here', async () => {
    const names = (await blocks('workers/sdk/README.md')).map(({ name }) => name)
    expect(names).toEqual(['cities.ts', 'main.ts', 'outputs.ts', 'failures.ts', 'schemas.ts'])
  })

  test('type-checks', async () => {
    const options = [
      '--noEmit',
      '--strict',
      '--exactOptionalPropertyTypes',
      '--module',
      'nodenext',
      '--target',
      'es2023',
      '--skipLibCheck',
    ]
    const flags = ['--allowImportingTsExtensions', '--customConditions', 'source', '--types', 'node']
    const files = (await blocks('workers/sdk/README.md')).map(({ name }) => name)
    const child = spawn(
      process.execPath,
      [join(root, 'node_modules/typescript/bin/tsc'), ...options, ...flags, ...files],
      {
        cwd: folder,
      },
    )
    let said = ''
    child.stdout.on('data', (data: Buffer) => (said += data.toString()))
    await once(child, 'close')
    expect(said).toBe('')
  })

  test('main.ts serves cities.ts, whose nodes work, and ends on SIGTERM', async () => {
    const api = await service((request, response) => {
      response.end(request.method === 'GET' ? '{"items":[{"id":1,"name":"Z\u030cizkov"}],"next":"c"}' : '')
    })
    const text = await readFile(join(folder, 'cities.ts'), 'utf8')
    await writeFile(join(folder, 'cities.ts'), text.replace('http://127.0.0.1:8090', api.url))
    const child = spawn(
      process.execPath,
      ['--import', import.meta.resolve('tsx'), '--conditions=source', join(folder, 'main.ts')],
      { env: { ...process.env, PORT: '0' }, stdio: ['ignore', 'pipe', 'inherit'] },
    )
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    const url = /http:\S+/.exec(line.toString())?.[0] ?? ''
    const post = (node: string, body: unknown) =>
      fetch(`${url}/nodes/${node}`, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      })
    const list = await post('list', {})
    expect([list.headers.get('sluice-cursor'), list.headers.get('sluice-emit')]).toEqual(['c', 'records'])
    const [city] = (await list.json()) as unknown[]
    const normalised: unknown = await (await post('normalise', city)).json()
    expect(normalised).toEqual({ id: 1, name: 'Žizkov' })
    expect((await post('store', normalised)).status).toBe(204)
    expect(api.requests.map((request) => `${request.method} ${request.url}`)).toEqual(['GET /cities', 'PUT /stored/1'])
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([0, null])
    await api.close()
  })

  test('outputs.ts returns what its comments say', async () => {
    const outputs = await snippet('outputs.ts')
    const said = async (node: string, body: unknown, header: string) => {
      const reply = await call(outputs, node, body)
      return [reply.status, reply.headers.get(header), await reply.text()]
    }
    expect(await said('json', { a: 1 }, 'content-type')).toEqual([200, 'application/json', '{"a":1,"seen":true}'])
    expect(await said('text', {}, 'content-type')).toEqual([200, 'text/plain; charset=utf-8', 'a string'])
    expect(await said('nothing', {}, 'x')).toEqual([204, null, ''])
    expect(await said('typed', {}, 'x-lang')).toEqual([200, 'cs', '<a/>'])
    expect(await said('choose', { total: 101 }, 'sluice-route')).toEqual([200, 'review', '{"total":101}'])
    expect(await said('choose', { total: 1 }, 'sluice-pass')).toEqual([200, '1', ''])
    expect(await said('lines', { lines: [] }, 'sluice-end')).toEqual([204, '1', ''])
    expect((await said('lines', { lines: [1] }, 'content-type'))[1]).toBe('application/cloudevents-batch+json')
    expect(await said('pages', {}, 'sluice-emit')).toEqual([200, 'chunks=2', '[1,2,3]'])
  })

  test.each([
    [{}, 422, null],
    [{ id: 1, locked: true }, 500, '5'],
    [{ id: 1, quota: 0 }, 429, '60'],
    [{ id: 1 }, 200, null],
  ])('failures.ts answers %j with %d', async (body, status, retryAfter) => {
    const reply = await call(await snippet('failures.ts'), 'order', body)
    expect([reply.status, reply.headers.get('retry-after')]).toEqual([status, retryAfter])
  })

  test('schemas.ts checks body and settings', async () => {
    const orders = await snippet('schemas.ts')
    expect(await (await call(orders, 'total', { id: 1, lines: [{ amount: 100 }] })).json()).toBe(121)
    expect((await call(orders, 'total', { id: 1 })).status).toBe(422)
  })
})

describe('docs/workers.md', () => {
  let child: ChildProcess | undefined
  afterAll(() => child?.kill())

  test('its Python worker answers its curl', async () => {
    const found = await blocks('docs/workers.md')
    expect(found.map(({ language }) => language)).toEqual(['python', 'sh', 'json'])
    const port = String(await freePort())
    const [python = '', sh = ''] = found.map(({ content }) => content.replace('8080', port))
    child = spawn('python3', ['-c', python], { stdio: 'ignore' })
    const said = await eventually('curl gets its answer', async () => {
      const curl = spawn('sh', ['-c', sh], { stdio: ['ignore', 'pipe', 'ignore'] })
      let output = ''
      curl.stdout.on('data', (data: Buffer) => (output += data.toString()))
      await once(curl, 'close')
      return JSON.parse(output) as { total: number }
    })
    expect(said.total).toBe(25)
  })

  test('its manifest is what the SDK says of such a node', async () => {
    const json = (await blocks('docs/workers.md')).find(({ language }) => language === 'json')?.content ?? ''
    const options = { prefetch: 5, timeoutMs: 60_000, retry: { attempts: 5, on: ['default', 'status:422'] } }
    const shop = worker({ name: 'shop', version: '1.4.2' }).custom('total', options, () => 1)
    expect(JSON.parse(JSON.stringify(shop.manifest()))).toEqual(JSON.parse(json))
  })
})
