import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import postgres from 'postgres'
import { afterEach, expect, inject, test } from 'vitest'
import { freePort } from '../../runtime/embedded/process.ts'
import { newId } from '../../runtime/ids.ts'
import { optionsOf, optionTable } from '../../runtime/options.ts'
import { eventually } from '../support/eventually.ts'
import { composeText, healthUrl, service, withDefaults } from './compose-file.ts'
import { startComposeNats } from './compose-nats.ts'

/** Services for real: the commands and variables of compose.yaml, with addresses and ports of this machine. */
let closers: (() => Promise<unknown>)[] = []
const secret = 'a-secret-of-this-test-0123456789abcdef'

afterEach(async () => {
  for (const close of closers.reverse()) await close()
  closers = []
})

/** Starts a service's process; `swaps` replaces addresses in its arguments and variables: found text → text of here. */
function start(name: string, swaps: Record<string, string>): ChildProcess {
  const { entrypoint = ['node', 'dist/runtime/main.js'], command = [], environment = {} } = service(name)
  const swapped = (text: string): string =>
    Object.entries(swaps).reduce((result, [from, to]) => result.replaceAll(from, to), text)
  const [main = ''] = entrypoint.slice(1)
  const script = main.replace('dist/', '').replace('.js', '.ts')
  const variables = Object.entries(environment).map(([key, value]) => [
    key,
    swapped(withDefaults(value).replaceAll(/\$\{\w+:\?[^}]*\}/g, secret)),
  ])
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', '--conditions=source', script, ...command.map((part) => swapped(part))],
    {
      env: { PATH: process.env.PATH, ...(Object.fromEntries(variables) as Record<string, string>) },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  )
  closers.push(async () => {
    if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await once(child, 'exit')
  })
  return child
}

function healthy(name: string, port: number): Promise<true> {
  const url = `http://127.0.0.1:${port}${healthUrl(name).pathname}`
  return eventually(`${name} is healthy`, async () => (await fetch(url)).ok, { timeoutMs: 40_000 })
}

/** URL of a new database without any table. */
async function emptyDatabase(): Promise<string> {
  const url = new URL(inject('postgresUrl'))
  const name = `test_${newId()}`
  const client = postgres(url.href, { max: 1, onnotice: () => {} })
  await client`create database ${client(name)}`.finally(() => client.end())
  url.pathname = `/${name}`
  return url.href
}

async function tablesOf(url: string): Promise<string[]> {
  const client = postgres(url, { max: 1 })
  const rows = await client<{ tablename: string }[]>`
    select tablename from pg_tables where schemaname = 'public'`.finally(() => client.end())
  return rows.map(({ tablename }) => tablename)
}

test('migrate, control and two bridges run as compose.yaml starts them, and their health checks pass', async () => {
  const nats = await startComposeNats()
  closers.push(() => nats.stop())
  const database = await emptyDatabase()
  const addresses = { 'nats://nats:4222': nats.url, [`postgres://sluice:${secret}@postgres:5432/sluice`]: database }
  const [code] = (await once(start('migrate', addresses), 'exit')) as [number | null]
  expect(code).toBe(0)
  expect(await tablesOf(database)).toContain('topologies')
  const roles = ['control', 'bridge', 'bridge']
  const ports = await Promise.all(roles.map(() => freePort()))
  for (const [index, name] of roles.entries())
    start(name, { ...addresses, [healthUrl(name).port]: String(ports[index]) })
  // Control is ready only when a bridge lives.
  await Promise.all(roles.map((name, index) => healthy(name, ports[index] ?? 0)))
}, 90_000)

test("the sample's processes run as compose.yaml starts them, and the worker's health check passes", async () => {
  const [source, enrichment, worker] = [await freePort(), await freePort(), await freePort()]
  const swaps = {
    [`postgres://cities:${secret}@sample-postgres:5432/cities`]: await emptyDatabase(),
    '8081': String(source),
    '8082': String(enrichment),
    '8080': String(worker),
  }
  start('sample-systems', swaps)
  start('sample-worker', swaps)
  await healthy('sample-worker', worker)
  for (const port of [source, enrichment]) {
    const stats = await eventually('a system answers', () => fetch(`http://127.0.0.1:${port}/stats`))
    expect(stats.status).toBe(200)
  }
}, 60_000)

test.each(['migrate', 'control', 'bridge'] as const)('%s gets variables and flags that it reads', (role) => {
  const taken = optionTable.filter(({ name }) => (optionsOf[role] as readonly string[]).includes(name))
  const { command = [], environment = {} } = service(role)
  expect(command[0]).toBe(role)
  expect(taken.map(({ variable }) => variable)).toEqual(expect.arrayContaining(Object.keys(environment)))
  const flags = taken.map(({ flag }) => flag?.split(' ')[0])
  expect(flags).toEqual(expect.arrayContaining(command.filter((part) => part.startsWith('--'))))
})

test('a variable that compose.yaml speaks of is an option', () => {
  const spoken = new Set(composeText.match(/SLUICE_[A-Z_]+/g))
  spoken.delete('SLUICE_VERSION')
  expect(optionTable.map(({ variable }) => variable)).toEqual(expect.arrayContaining([...spoken]))
})
