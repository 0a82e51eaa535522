import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import { expect, onTestFinished, test } from 'vitest'
import { Unavailable } from '../../runtime/errors.ts'
import { openStore } from '../../runtime/store/store.ts'
import type { Store } from '../../runtime/store/store.ts'
import { freshDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'

/** A store whose connections go through here; `cut` breaks them all, with a reset or an orderly end. */
async function storeBehindProxy(): Promise<{ store: Store; cut(how: 'reset' | 'end'): void }> {
  const url = new URL(await freshDatabase())
  const clients = new Set<Socket>()
  const proxy = createServer((client) => {
    const server = connect(Number(url.port), url.hostname)
    clients.add(client)
    client.on('error', () => server.destroy()).on('close', () => server.destroy())
    server.on('error', () => client.destroy()).on('close', () => client.destroy())
    client.pipe(server)
    server.pipe(client)
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  url.port = String((proxy.address() as AddressInfo).port)
  const store = openStore(url.href, 2)
  onTestFinished(async () => {
    await store.close()
    proxy.close()
  })
  const cut = (how: 'reset' | 'end'): void => {
    for (const client of clients) how === 'reset' ? client.resetAndDestroy() : client.destroy()
    clients.clear()
  }
  return { store, cut }
}

const count = (store: Store) =>
  eventually('Postgres is back', async () => (await store.query((db) => db.execute(sql`select id from runs`))).length, {
    timeoutMs: 20_000,
  })
const insert = sql`insert into tokens (id, name, hash, scopes) values (gen_random_uuid(), 'n', gen_random_uuid(), '[]')`
const tokens = (store: Store) => store.query((db) => db.execute(sql`select id from tokens`))

test.each(['reset', 'end'] as const)(
  'a connection that breaks (%s) under a statement of a transaction ends neither the process nor the pool',
  async (how) => {
    const { store, cut } = await storeBehindProxy()
    for (let round = 0; round < 5; round++) {
      const broken = store.transaction((inside) => inside.query((db) => db.execute(sql`select pg_sleep(10)`)))
      const outcome = broken.catch((error: unknown) => error)
      await wait(50)
      cut(how)
      expect(await outcome).toBeInstanceOf(Unavailable)
    }
    expect(await count(store)).toBe(0)
  },
)

test('what a transaction does after its connection broke is refused, not done outside of it', async () => {
  const { store, cut } = await storeBehindProxy()
  const broken = store.transaction(async (inside) => {
    await inside.query((db) => db.execute(insert))
    cut('end')
    await eventually('another connection is there', () => tokens(store))
    await inside.query((db) => db.execute(insert))
  })
  await expect(broken).rejects.toThrow(Unavailable)
  await wait(200)
  expect(await tokens(store)).toHaveLength(0)
})
