import { spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import postgres from 'postgres'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { startEmbedded } from '../../../runtime/embedded/index.ts'
import type { Embedded, EmbeddedOptions } from '../../../runtime/embedded/index.ts'
import { createDatabase } from '../../../runtime/embedded/postgres.ts'
import { Conflict, Invalid } from '../../../runtime/errors.ts'
import { eventually } from '../../support/eventually.ts'
import { processesOf } from '../../support/leaks.ts'

let dataDir: string
let started: Embedded[]

beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-embedded-'))
  chmodSync(folder, 0o711)
  dataDir = join(folder, 'data')
  started = []
})

afterEach(async () => {
  for (const services of started) await services.stop()
  expect(processesOf(dataDir)).toEqual([])
  rmSync(dirname(dataDir), { recursive: true })
})

test('stopping ends both services and gives the folder back, and twice is harmless', async () => {
  const services = await start()
  expect(Object.values(services.pids()).map((pid) => typeof pid)).toEqual(['number', 'number'])
  await Promise.all([services.stop(), services.stop()])
  await services.stop()
  expect(processesOf(dataDir)).toEqual([])
  await start()
})

test('messages and rows of the last start are there after the next one, under the same URLs', async () => {
  const before = await start()
  await storeMessage(before.natsUrl, 'kept')
  await query(before.postgresUrl, (sql) => sql`create table kept as select 'kept' as word`)
  await before.stop()
  const after = await start()
  expect(await storedMessage(after.natsUrl)).toBe('kept')
  expect(await query(after.postgresUrl, (sql) => sql`select word from kept`)).toEqual([{ word: 'kept' }])
  expect([after.natsUrl, after.postgresUrl]).toEqual([before.natsUrl, before.postgresUrl])
})

test('a second engine on the same folder is refused, and the first goes on', async () => {
  const first = await start()
  await expect(start()).rejects.toThrow(Conflict)
  expect(await query(first.postgresUrl, (sql) => sql`select 1 as one`)).toEqual([{ one: 1 }])
})

test('when one service cannot be started the other one is stopped, and the folder is free again', async () => {
  await expect(start({ natsServer: '/nowhere/nats-server' })).rejects.toThrow(Invalid)
  expect(processesOf(dataDir)).toEqual([])
  await start()
})

test('external services are used as they are, and nothing is started', async () => {
  const services = await start({ natsUrl: inject('natsUrl'), postgresUrl: inject('postgresUrl') })
  expect(services).toMatchObject({ natsUrl: inject('natsUrl'), postgresUrl: inject('postgresUrl') })
  expect(services.pids()).toEqual({ nats: null, postgres: null })
  await services.stop()
  expect(await query(inject('postgresUrl'), (sql) => sql`select 1 as one`)).toEqual([{ one: 1 }])
})

test('a name that would need quoting in a URL is refused for a database', async () => {
  const postgresUrl = inject('postgresUrl')
  await expect(createDatabase(postgresUrl, 'we"ird')).rejects.toThrow(Invalid)
})

test('making a database twice, also at once, gives the same database', async () => {
  const { postgres: databases } = await start()
  const urls = await Promise.all([databases.createDatabase('sample'), databases.createDatabase('sample')])
  urls.push(await databases.createDatabase('sample'))
  const [url, ...others] = new Set(urls)
  expect(others).toEqual([])
  expect(await query(url!, (sql) => sql`select current_database() as name`)).toEqual([{ name: 'sample' }])
})

test('Postgres asks for the password, and its file is for the owner only', async () => {
  const { postgresUrl } = await start()
  const url = Object.assign(new URL(postgresUrl), { password: 'guessed' })
  await expect(query(url.href, (sql) => sql`select 1`)).rejects.toMatchObject({ code: '28P01' })
  expect(statSync(join(dataDir, 'postgres.password')).mode & 0o777).toBe(0o600)
})

test('a service that is killed is started again on the same port, with its data', async () => {
  const notes: string[] = []
  const services = await start({ log: (line) => notes.push(line) })
  await storeMessage(services.natsUrl, 'kept')
  const before = services.pids()
  for (const pid of [before.nats, before.postgres]) process.kill(pid!, 'SIGKILL')
  const words = await eventually('both serve again', async () => [
    await storedMessage(services.natsUrl),
    (await query(services.postgresUrl, (sql) => sql`select 'row' as word`))[0]?.word,
  ])
  expect(words).toEqual(['kept', 'row'])
  expect(notes).toEqual(expect.arrayContaining([expect.stringContaining('nats has ended (SIGKILL)')]))
})

test('both services end when the engine is SIGKILLed, and the next start has the folder', async () => {
  const engine = await startEngine()
  for (const part of [/nats\.conf/, /postgres -D/, /guard\.mjs/]) expect(processesOf(dataDir).join()).toMatch(part)
  engine.kill('SIGKILL')
  await eventually('all have ended', () => processesOf(dataDir).length === 0)
  const services = await start()
  expect(await query(services.postgresUrl, (sql) => sql`select 1 as one`)).toEqual([{ one: 1 }])
})

test('services whose engine and guard were both killed are ended by the next start', async () => {
  const engine = await startEngine()
  const guard = processesOf(dataDir).find((line) => line.includes('guard.mjs'))
  process.kill(Number.parseInt(guard!, 10), 'SIGKILL')
  engine.kill('SIGKILL')
  await once(engine, 'exit')
  const services = await start()
  expect(await query(services.postgresUrl, (sql) => sql`select 1 as one`)).toEqual([{ one: 1 }])
  expect(processesOf(dataDir).filter((line) => line.includes('nats.conf'))).toHaveLength(1)
})

test('a ^C in the terminal leaves the services to the engine, which can still use them', async () => {
  const engine = await startEngine()
  // What a terminal does: the signal goes to the whole process group.
  process.kill(-engine.pid!, 'SIGINT')
  const [line] = (await once(createInterface({ input: engine.stdout }), 'line')) as [string]
  expect(line).toBe('still serving')
  await eventually('all have ended', () => processesOf(dataDir).length === 0)
})

describe.runIf(process.getuid?.() === 0)('as root', () => {
  test('Postgres keeps its data elsewhere when its user cannot enter the data folder', async () => {
    mkdirSync(dataDir)
    chmodSync(dataDir, 0o700)
    const before = await start()
    await query(before.postgresUrl, (sql) => sql`create table kept as select 'kept' as word`)
    await before.stop()
    const after = await start()
    expect(await query(after.postgresUrl, (sql) => sql`select word from kept`)).toEqual([{ word: 'kept' }])
    await after.stop()
    rmSync(readFileSync(join(dataDir, 'postgres.place'), 'utf8').trim(), { recursive: true })
    await expect(start()).rejects.toThrow(/is gone: put it back/)
  })
})

async function start(options: Partial<EmbeddedOptions> = {}): Promise<Embedded> {
  const services = await startEmbedded({ dataDir, durable: false, ...options })
  started.push(services)
  return services
}

/** An engine as a process of its own, in a process group of its own. Resolves when its services are up. */
async function startEngine(): Promise<ChildProcessByStdio<null, Readable, null>> {
  const script = new URL('../../embedded/engine.ts', import.meta.url).pathname
  const engine = spawn(process.execPath, ['--import', 'tsx', script, dataDir], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(engine.stdout, 'data')
  return engine
}

type Rows = Record<string, unknown>[]

async function query(url: string, run: (sql: postgres.Sql) => Promise<Rows>): Promise<Rows> {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  try {
    return [...(await run(sql))]
  } finally {
    await sql.end()
  }
}

async function storeMessage(servers: string, text: string): Promise<void> {
  const connection = await connect({ servers })
  const manager = await jetstreamManager(connection)
  await manager.streams.add({ name: 'KEPT', subjects: ['kept'] })
  await jetstream(connection).publish('kept', text)
  await connection.close()
}

async function storedMessage(servers: string): Promise<string | undefined> {
  const connection = await connect({ servers, reconnect: false })
  const manager = await jetstreamManager(connection)
  const message = await manager.streams.getMessage('KEPT', { last_by_subj: 'kept' })
  await connection.close()
  return message?.string()
}
