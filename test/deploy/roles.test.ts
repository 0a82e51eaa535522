import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { freePort } from '../../runtime/embedded/process.ts'
import { freshDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { compose, composeText, healthUrl, service } from './compose-file.ts'
import { startComposeNats } from './compose-nats.ts'

/** The roles for real: the commands and variables of compose.yaml, with addresses and ports of this machine. */
let nats: Awaited<ReturnType<typeof startComposeNats>>
let children: ChildProcess[] = []

beforeEach(async () => {
  nats = await startComposeNats()
})

afterEach(async () => {
  for (const child of children) if (child.exitCode === null && child.kill('SIGKILL')) await once(child, 'exit')
  children = []
  await nats.stop()
})

function start(name: string, addresses: Record<string, string>, port?: number): ChildProcess {
  const { command = [], environment = {} } = service(name)
  const listening = port === undefined ? '' : healthUrl(name).port
  const args = command.map((part) => (part === listening ? String(port) : part))
  const variables = Object.entries(environment).map(([key, value]) => [
    key,
    addresses[key] ?? value.replaceAll(/\$\{\w+:\?[^}]*\}/g, 'a-secret-of-this-test-0123456789abcdef'),
  ])
  const child = spawn(process.execPath, ['--import', 'tsx', '--conditions=source', 'runtime/main.ts', ...args], {
    env: { PATH: process.env.PATH, ...(Object.fromEntries(variables) as Record<string, string>) },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  children.push(child)
  return child
}

test('migrate, control and two bridges run as compose.yaml starts them, and their health checks pass', async () => {
  const addresses = { SLUICE_NATS_URL: nats.url, SLUICE_POSTGRES_URL: await freshDatabase() }
  const [code] = (await once(start('migrate', addresses), 'exit')) as [number | null]
  expect(code).toBe(0)
  for (const name of ['control', 'bridge', 'bridge']) {
    const port = await freePort()
    start(name, addresses, port)
    const url = `http://127.0.0.1:${port}${healthUrl(name).pathname}`
    await eventually(`${name} is ready`, async () => (await fetch(url)).ok, { timeoutMs: 20_000 })
  }
})

test('every variable that compose.yaml sets, names or explains is one that the engine reads', () => {
  const options = readFileSync('runtime/options.ts', 'utf8')
  const set = Object.values(compose.services).flatMap(({ environment }) => Object.keys(environment ?? {}))
  const explained = composeText.match(/SLUICE_[A-Z_]+/g) ?? []
  const names = new Set(
    [...set, ...explained].filter((name) => name.startsWith('SLUICE_') && name !== 'SLUICE_VERSION'),
  )
  expect([...names].filter((name) => !options.includes(name))).toEqual([])
})
