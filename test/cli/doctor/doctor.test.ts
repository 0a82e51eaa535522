import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { homedir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { expect, inject, onTestFinished, test } from 'vitest'
import { examineClocks } from '../../../runtime/commands/doctor.ts'
import { findNatsServer } from '../../../runtime/embedded/nats-binary.ts'
import { freePort } from '../../../runtime/embedded/process.ts'
import { faultsOf } from '../../../runtime/store/condition.ts'
import { newId } from '../../../runtime/ids.ts'
import { freshDatabase } from '../../support/database.ts'
import { inside, openCli } from '../inside.ts'
import { temporaryFolder } from '../sluice.ts'

/** What doctor says of one part, and how it ends. */
async function doctor(part: string, ...flags: readonly string[]) {
  const { code, stdout } = await inside(['doctor', ...flags, '--data', '/no/such/folder', '-o', 'json'])
  const findings = JSON.parse(stdout) as { part: string; state: string; text: string }[]
  return {
    code,
    said: findings.filter((finding) => finding.part === part).map(({ state, text }) => `${state}: ${text}`),
  }
}

/** A nats-server with this configuration; its URL. */
async function natsWith(configuration: string): Promise<string> {
  const { folder, remove } = temporaryFolder()
  const cacheDir = process.env.SLUICE_CACHE ?? join(homedir(), '.cache', 'sluiceway')
  const binary = await findNatsServer({ explicit: process.env.SLUICE_NATS_SERVER, cacheDir, log: () => undefined })
  const port = await freePort()
  const file = join(folder, 'nats.conf')
  writeFileSync(file, `listen: "127.0.0.1:${port}"\n${configuration.replace('FOLDER', folder)}\n`)
  const server = spawn(binary, ['-c', file], { stdio: ['ignore', 'ignore', 'pipe'] })
  onTestFinished(async () => {
    const ended = once(server, 'exit')
    server.kill('SIGTERM')
    await ended
    remove()
  })
  for await (const line of server.stderr) if (String(line).includes('Server is ready')) break
  return `nats://127.0.0.1:${port}`
}

/** Greets as a nats-server of this version does. */
async function greeting(version: string): Promise<string> {
  const info = JSON.stringify({
    server_id: 'X',
    version,
    max_payload: 10_485_760,
    headers: true,
    jetstream: true,
    proto: 1,
  })
  const server = createServer((socket) => {
    socket.on('error', () => undefined).write(`INFO ${info}\r\n`)
    socket.on('data', (data) => data.includes('PING') && socket.write('PONG\r\n'))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return `nats://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test.each<[string, () => Promise<string>, RegExp]>([
  [
    'is away',
    async () => `nats://127.0.0.1:${await freePort()}`,
    /can't be reached .*check SLUICE_NATS_URL and that the server runs/,
  ],
  [
    'is too old',
    () => greeting('2.10.4'),
    /has version 2\.10\.4, Sluiceway needs 2\.14\.0 or newer; upgrade the server/,
  ],
  [
    'takes small messages only',
    () => natsWith('jetstream { store_dir: "FOLDER/js" }'),
    /max_payload 1048576, Sluiceway needs 9437184 .*set max_payload: 10MB/,
  ],
  [
    'has no JetStream',
    () => natsWith('max_payload: 10MB'),
    /JetStream doesn't answer .*start nats-server with JetStream on \(-js\)/,
  ],
])('doctor says what to do about a NATS that %s', async (_, start, text) => {
  const { code, said } = await doctor('nats', '--nats-url', await start())
  expect([code, said]).toEqual([1, [expect.stringMatching(/^wrong: /) as string]])
  expect(said[0]).toMatch(text)
})

test('doctor warns of queues with fewer copies than are wanted', async () => {
  await openCli()
  const { code, said } = await doctor('durability', '--nats-url', inject('natsUrl'), '--replicas', '3')
  expect(code).toBe(1)
  expect(said).toContainEqual(expect.stringMatching(/^wrong: fewer than 3 copies have .*--replicas 3/))
})

test('doctor says what to do about a Postgres that is away, empty, or of a newer version', async () => {
  const away = await doctor('postgres', '--postgres-url', `postgres://127.0.0.1:${await freePort()}/x`)
  expect([away.code, away.said]).toEqual([
    1,
    [expect.stringMatching(/^wrong: Postgres .*ECONNREFUSED.*check SLUICE_POSTGRES_URL and that/) as string],
  ])
  const url = await freshDatabase()
  const client = postgres(url, { max: 1, onnotice: () => {} })
  onTestFinished(() => client.end())
  await client`insert into drizzle.__drizzle_migrations (hash, created_at) values ('later', 9999999999999)`
  const newer = await doctor('postgres', '--postgres-url', url)
  expect(newer.said).toEqual([expect.stringMatching(/^wrong: its schema is of a newer version .*use that version/)])
  const name = `test_${newId()}`
  await client`create database ${client(name)}`
  const empty = await doctor('postgres', '--postgres-url', url.replace(/[^/]+$/, name))
  expect([empty.code, empty.said]).toEqual([
    1,
    [expect.stringMatching(/^wrong: it lacks 0000_\w+.*run `sluice migrate`/) as string],
  ])
})

test('doctor says that a Postgres is too old', () => {
  expect(faultsOf({ version: '14.9 (Debian)', pending: [], isNewer: false, hasTextIndex: true })).toEqual([
    'version 14.9 (Debian); 15 or newer is needed: upgrade it',
  ])
  expect(faultsOf({ version: '15.1', pending: [], isNewer: false, hasTextIndex: true })).toEqual([])
})

test.each<[number | null, number | null, string[]]>([
  [0, 900, ['ok']],
  [600, -500, ['wrong']],
  [null, -1_500, ['wrong']],
  [null, null, []],
])('clocks that are %s and %s ms ahead are told apart over a second', (nats, postgres, states) => {
  const findings = examineClocks({ clockAheadMs: nats }, { clockAheadMs: postgres })
  expect(findings.map(({ state }) => state)).toEqual(states)
  for (const { text } of findings.filter(({ state }) => state === 'wrong'))
    expect(text).toMatch(/set the clocks by NTP/)
})

test('doctor says of an engine that no bridge lives, that its version is another, and that the token is wrong', async () => {
  const { url, run } = await openCli()
  const { stdout, code } = await run('doctor')
  expect(code).toBe(1)
  expect(stdout).toMatch(/^wrong +engine .*no bridge is alive: start one with `sluice bridge`/m)
  expect(stdout).toMatch(/^wrong +engine .*it has version 0\.0\.0, this command line \d.*use the same of both/m)
  const refused = await doctor('engine', '--url', url, '--token', 'wrong')
  expect(refused.said).toEqual([expect.stringMatching(/^wrong: .*refuses the token: give the right one with --token/)])
})
