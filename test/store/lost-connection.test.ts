import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import { expect, onTestFinished, test } from 'vitest'
import { Unavailable } from '../../runtime/errors.ts'
import { openStore } from '../../runtime/store/store.ts'
import type { Store } from '../../runtime/store/store.ts'
import { freshDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'

type How = 'reset' | 'end'

/** A store of at most four connections, which go through here; `cut` breaks them all, with a reset or an orderly end. */
async function storeBehindProxy(): Promise<{ store: Store; cut(how: How): void }> {
  const url = new URL(await freshDatabase())
  const postgresPort = Number(url.port)
  const clients = new Set<Socket>()
  const proxy = createServer((client) => {
    const server = connect(postgresPort, '127.0.0.1')
    clients.add(client)
    client.on('error', () => server.destroy()).on('close', () => server.destroy())
    server.on('error', () => client.destroy()).on('close', () => client.destroy())
    client.pipe(server).pipe(client)
  })
  await once(proxy.listen(0, '127.0.0.1'), 'listening')
  url.port = String((proxy.address() as AddressInfo).port)
  const store = openStore(url.href, 4)
  onTestFinished(async () => {
    await store.close()
    proxy.close()
  })
  const cut = (how: How): void => {
    for (const client of clients) {
      if (how === 'reset') client.resetAndDestroy()
      else client.destroy()
    }
    clients.clear()
  }
  return { store, cut }
}

const insert = sql`insert into tokens (id, name, hash, scopes) values (gen_random_uuid(), 'n', gen_random_uuid(), '[]')`
const tokens = (store: Store) => store.query((db) => db.execute(sql`select id from tokens`))

/** A statement that lasts, and a wait until Postgres is at it. */
function lasting(store: Store, mark: string): { statement: SQL; begun(): Promise<unknown> } {
  const running = sql`select query from pg_stat_activity where datname = current_database()`
  const begun = () =>
    eventually('the statement lasts', async () => {
      const rows = await store.query((db) => db.execute<{ query: string }>(running))
      return rows.some(({ query }) => query.includes(mark))
    })
  return { statement: sql.raw(`select pg_sleep(20) as ${mark}`), begun }
}

test.each(['reset', 'end'] as const)(
  'a connection that breaks (%s) under a statement fails its work at once',
  async (how) => {
    const { store, cut } = await storeBehindProxy()
    for (const mark of ['plain', 'transaction']) {
      const { statement, begun } = lasting(store, mark)
      const within = (it: Store) => it.query((db) => db.execute(statement))
      const broken = mark === 'plain' ? within(store) : store.transaction(within)
      const outcome = broken.catch((error: unknown) => error)
      await begun()
      cut(how)
      expect(await outcome).toBeInstanceOf(Unavailable)
    }
    expect(await tokens(store)).toHaveLength(0)
  },
)

test('after its connection broke, a transaction can do nothing more, neither within nor outside of it', async () => {
  const { store, cut } = await storeBehindProxy()
  let after: unknown
  const broken = store.transaction(async (inside) => {
    await inside.query((db) => db.execute(insert))
    cut('end')
    await eventually('another connection is there', () => tokens(store))
    after = await inside.query((db) => db.execute(insert)).catch((error: unknown) => error)
  })
  await expect(broken).rejects.toThrow(Unavailable)
  await eventually('it went on', () => after !== undefined)
  expect(after).toBeInstanceOf(Unavailable)
  expect(await tokens(store)).toHaveLength(0)
})

test('connections that break again and again under load answer with what was asked, or not at all', async () => {
  const { store, cut } = await storeBehindProxy()
  let answers = 0
  let isOver = false
  const ask = async (n: number): Promise<void> => {
    const statement = sql`select ${n}::int as n`
    const rows = await (n % 2 === 0
      ? store.query((db) => db.execute<{ n: number }>(statement))
      : store.transaction((inside) => inside.query((db) => db.execute<{ n: number }>(statement))))
    expect(rows).toEqual([{ n }])
    answers++
  }
  const asking = Array.from({ length: 12 }, async (_, n) => {
    while (!isOver) await ask(n).catch((error: unknown) => expect(error).toBeInstanceOf(Unavailable))
  })
  for (let round = 0; round < 60; round++) {
    const before = answers
    await eventually('answers come', () => answers > before + 8)
    cut(round % 2 === 0 ? 'reset' : 'end')
  }
  isOver = true
  await Promise.all(asking)
})

test('a transaction whose work fails of another part rolls back, and keeps its connection', async () => {
  const store = openStore(await freshDatabase(), 1)
  onTestFinished(() => store.close())
  const backend = () => store.query((db) => db.execute(sql`select pg_backend_pid() as pid`))
  const before = await backend()
  const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
  const away = new Unavailable('nats', 'NATS is away', { cause })
  const failing = store.transaction(async (inside) => {
    await inside.query((db) => db.execute(insert))
    throw away
  })
  await expect(failing).rejects.toBe(away)
  expect(await tokens(store)).toHaveLength(0)
  expect(await backend()).toEqual(before)
})
