import { createServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import postgres from 'postgres'
import { afterAll, describe, expect, inject, test } from 'vitest'
import { newId } from '../../../runtime/ids.ts'
import { freshDatabase } from '../../support/database.ts'
import { sluice, temporaryFolder } from '../../cli/sluice.ts'

const { folder, remove } = temporaryFolder()
const servers: Server[] = []

afterAll(() => {
  for (const server of servers) server.close()
  remove()
})

const secrets = { SLUICE_ADMIN_TOKEN: 'a-token-of-this-test', SLUICE_SECRET_KEY: 'a-key-of-this-test' }

/** One line that says what is wrong, then one for each fault; never a stack trace. */
async function refusal(args: readonly string[], env: Record<string, string> = {}, input = '') {
  const { code, stderr } = await sluice(args, { env, input })
  const [first = '', ...more] = stderr.trimEnd().split('\n')
  expect(more.filter((line) => !line.startsWith('  '))).toEqual([])
  expect(stderr).not.toMatch(/^\s+at .*:\d+/m)
  return { code, first, faults: more.map((line) => line.trim()) }
}

/** Listens and says `greeting` to whoever connects, and PONG to a PING. */
async function listen(greeting = ''): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (data) => data.includes('PING') && socket.write('PONG\r\n'))
    socket.write(greeting)
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

describe('wrong use ends with exit code 2 and a line that helps', () => {
  test.each([
    [['help', 'appl'], /^unknown command 'appl' \(did you mean "apply"\?\) \(see `sluice --help`\)$/],
    [['devv'], /^unknown command 'devv' \(Did you mean dev\?\) \(see `sluice --help`\)$/],
    [['dev', '--prot', '1'], /^unknown option '--prot' \(Did you mean --port\?\)$/],
    [
      ['get', 'nods'],
      /^there is nothing called "nods" to list \(did you mean "nodes"\?\); there are topologies, nodes,/,
    ],
    [['get', 'topologys'], /\(did you mean "topology"\?\)/],
    [['trash', 'discard', '--all'], /^this would discard every open message of the engine: .* --yes$/],
    [['get', 'nodes'], /^nodes are listed for one topology: sluice get nodes TOPOLOGY$/],
    [['get', 'runs', '--limit', '0'], /^--limit takes a whole number from 1 to 100000; found "0"$/],
    [['get', 'runs', '--who', 'ann'], /^--who says nothing of runs; they take --node, --tenant,/],
    [
      ['token', 'create', 'ci', '--scope', 'reed'],
      /^there is no scope "reed" \(did you mean "read"\?\); there are read,/,
    ],
    [
      ['token', 'create', 'ci', '--scope', 'read', '--expires', '30'],
      /^--expires takes a time .* 30d, 4w; found "30"$/,
    ],
    [['token', 'create', 'ci', '--scope', 'read', '--expires', '2020-01-01'], /^--expires takes a time to come;/],
    [['token', 'create', 'ci'], /^required option '--scope <scopes...>' not specified$/],
    [['apply'], /^required option '-f, --file <file>' not specified$/],
    [['apply', '-f', '/no/such.yaml'], /^\/no\/such\.yaml can't be read: ENOENT/],
    [['trash', 'replay'], /^say which: sluice trash replay ID…, or --all/],
    [['run', 'cities', '--data', '{'], /^--data takes JSON, .*; a file is named with @file, stdin with -$/],
    [['dev', '--once', '--no-sample'], /^--once and --scale are about the sample, which --no-sample leaves out$/],
    [['dev', '--data', '/dev/null/x'], /^the data folder \/dev\/null\/x can't be used .* --data \(SLUICE_DATA\)$/],
    [['init', '/dev/null'], /^\/dev\/null is a file: choose a new folder|can't be a project's name/],
  ])('sluice %j', async (args, line) => {
    const { code, first } = await refusal(args)
    expect(first).toMatch(line)
    expect(code).toBe(2)
  })

  test('all wrong options are named at once, with flag and variable', async () => {
    const { code, first, faults } = await refusal(['control', '--port', 'x'], { SLUICE_REPLICAS: '2' })
    expect(first).toBe('the options are wrong')
    expect(faults.map((fault) => /^(--[\w-]+ \(\w+\)|\w+):/.exec(fault)?.[1])).toEqual([
      '--nats-url (SLUICE_NATS_URL)',
      '--postgres-url (SLUICE_POSTGRES_URL)',
      'SLUICE_ADMIN_TOKEN',
      'SLUICE_SECRET_KEY',
      '--port (SLUICE_PORT)',
      '--replicas (SLUICE_REPLICAS)',
    ])
    expect(code).toBe(2)
  })

  test('a malformed topology is named by file, line and path, with what was expected', async () => {
    const text =
      'name: shop\nnodes:\n  - { name: start, type: start }\n  - { name: a, type: custom, worker: w, prefetch: 50 }\n'
    const path = file('shop.yaml', text)
    const { code, first, faults } = await refusal(['apply', '-f', path])
    expect(first).toBe('the topology documents are wrong; nothing was changed')
    expect(faults).toEqual([
      expect.stringMatching(/^nodes\[1\]\.prefetch: .*shop\.yaml:4: expected at most 20; found 50$/),
      expect.stringMatching(/^nodes\[1\]: .*shop\.yaml:4: no event node leads to a/),
    ])
    expect(code).toBe(2)
  })

  test('every file of a folder is read, and broken YAML says its line', async () => {
    const many = join(folder, 'many')
    mkdirSync(many)
    file('many/good.yaml', 'name: good\nnodes: []\n')
    file('many/bad.json', '{"name": "bad",\n "nodes": [')
    const { faults } = await refusal(['apply', '-f', many])
    expect(faults.join('\n')).toMatch(/bad\.json:2/)
  })
})

describe('what is away, in the way or too old ends with exit code 1 and a line that helps', () => {
  test('without an engine, the ways to name one are said', async () => {
    const { code, first } = await refusal(['get', 'topologies'])
    expect(first).toMatch(/^no engine is running on .*--data \(SLUICE_DATA\).*--url \(SLUICE_URL\)/)
    expect(code).toBe(1)
  })

  test('an engine that does not answer is named', async () => {
    const { code, first } = await refusal(['get', 'topologies', '--url', 'http://127.0.0.1:1', '--token', 'x'])
    expect(first).toMatch(/^the engine at http:\/\/127\.0\.0\.1:1 can't be reached .*--url \(SLUICE_URL\)/)
    expect(code).toBe(1)
  })

  test('a busy port is named, with the way to another one', async () => {
    const port = String(await listen())
    const { code, first } = await refusal(['dev', '--no-sample', '--data', join(folder, 'busy'), '--port', port])
    expect(first).toBe(
      `port ${port} of 127.0.0.1 is in use: choose another one with --port (SLUICE_PORT); 0 takes a free one`,
    )
    expect(code).toBe(1)
  })

  test('Postgres that does not answer is named', async () => {
    const { code, first } = await refusal(['migrate', '--postgres-url', 'postgres://u:secret@127.0.0.1:1/db'])
    expect(first).toMatch(/^Postgres can't be used now \(ECONNREFUSED\): /)
    expect(first).not.toContain('secret')
    expect(code).toBe(1)
  })

  test('a control whose database is not migrated says what to run', async () => {
    const url = new URL(inject('postgresUrl'))
    const env = { ...secrets, SLUICE_NATS_URL: inject('natsUrl'), SLUICE_POSTGRES_URL: url.href }
    const { code, first } = await refusal(['control', '--port', '0'], env)
    expect(first).toMatch(/^the database lacks 0000_first(, \w+)*: run `sluice migrate` first$/)
    expect(code).toBe(1)
  })

  test('a NATS that does not answer is named', async () => {
    const env = { ...secrets, SLUICE_NATS_URL: 'nats://127.0.0.1:1' }
    const { code, first } = await refusal(['bridge'], env)
    expect(first).toMatch(/^NATS at nats:\/\/127\.0\.0\.1:1 can't be reached .*SLUICE_NATS_URL/)
    expect(code).toBe(1)
  })
})

test('a NATS server that is too old is refused with both versions', async () => {
  const info = { server_id: 'x', version: '2.9.0', max_payload: 1_048_576, proto: 1, headers: true, jetstream: true }
  const port = await listen(`INFO ${JSON.stringify(info)}\r\n`)
  const env = { ...secrets, SLUICE_NATS_URL: `nats://127.0.0.1:${port}` }
  const { code, first } = await refusal(['bridge'], env)
  expect(first).toBe('the NATS server has version 2.9.0, Sluiceway needs 2.14.0 or newer; upgrade the server')
  expect(code).toBe(2)
})

test('a role without rights on the database is told which right to grant', async () => {
  const admin = postgres(inject('postgresUrl'), { max: 1, onnotice: () => {} })
  const role = `poor_${newId()}`
  const url = new URL(await freshDatabase())
  url.pathname = `/${role}`
  await admin.unsafe(`create database ${role}`)
  await admin.unsafe(`create role ${role} login password 'pw'`)
  await admin.end()
  Object.assign(url, { username: role, password: 'pw' })
  const { code, first } = await refusal(['migrate'], { SLUICE_POSTGRES_URL: url.href })
  expect(first).toMatch(/^the Postgres role "poor_\w+" may not change the schema .*grant create on database/)
  expect(code).toBe(2)
})

test('doctor says of each part how it is, and fails when one is away', async () => {
  const env = { SLUICE_NATS_URL: 'nats://127.0.0.1:1', SLUICE_POSTGRES_URL: await freshDatabase() }
  const { code, stdout } = await sluice(['doctor'], { env })
  expect(stdout).toMatch(/^ok +node/m)
  expect(stdout).toMatch(/^wrong +nats +NATS at nats:\/\/127\.0\.0\.1:1 can't be reached/m)
  expect(stdout).toMatch(/^ok +postgres .*all migrations are there/m)
  expect(stdout).toMatch(/^wrong +engine +no engine is running/m)
  expect(code).toBe(1)
})
