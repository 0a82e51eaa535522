import { sql } from 'drizzle-orm'
import postgres from 'postgres'
import { expect, onTestFinished, test } from 'vitest'
import { Invalid, Unavailable } from '../../runtime/errors.ts'
import { conditionOf } from '../../runtime/store/condition.ts'
import { migrate } from '../../runtime/store/migrate.ts'
import { listTrash } from '../../runtime/store/queries/trash.ts'
import { openStore } from '../../runtime/store/store.ts'
import { emptyDatabase, migratedStore } from './open.ts'

test('controls that start together migrate once', async () => {
  const url = await emptyDatabase()
  const lines: string[] = []
  await Promise.all([1, 2, 3].map(() => migrate(url, (line) => lines.push(line))))
  await migrate(url, (line) => lines.push(line))
  expect(lines).toEqual([expect.stringMatching(/^migrated the database: 0000_first(, \w+)*$/)])
})

test('a role without rights is told which grant it lacks, and may run on a migrated database', async () => {
  const url = await emptyDatabase()
  const role = `poor_${new URL(url).pathname.slice(1)}`
  const admin = postgres(url, { max: 1, onnotice: () => {} })
  onTestFinished(async () => {
    await admin.unsafe(`drop owned by ${role}; drop role ${role}`)
    await admin.end()
  })
  await admin.unsafe(`create role ${role} login password 'poor'`)
  const poor = new URL(url)
  poor.username = role
  poor.password = 'poor'
  await expect(migrate(poor.href)).rejects.toThrow(new RegExp(`grant create on database .* to "${role}"`))
  await expect(migrate(poor.href)).rejects.toBeInstanceOf(Invalid)
  await migrate(url)
  await admin.unsafe(
    `grant usage on schema drizzle to ${role}; grant select on all tables in schema drizzle to ${role}`,
  )
  await migrate(poor.href)
})

test('an engine without the extension for texts works, says so at each start, and gets its index when it may', async () => {
  const url = await emptyDatabase()
  const admin = postgres(url, { max: 1, onnotice: () => {} })
  const role = `plain_${new URL(url).pathname.slice(1)}`
  onTestFinished(async () => {
    await admin.unsafe(`drop owned by ${role}; drop role ${role}`)
    await admin.end()
  })
  await migrate(url)
  expect(await conditionOf(url)).toMatchObject({ hasTextIndex: true, pending: [] })
  await admin.unsafe(`drop extension pg_trgm cascade; create role ${role} login password 'plain';
    grant usage on schema drizzle to ${role}; grant select on all tables in schema drizzle to ${role}`)
  const plain = Object.assign(new URL(url), { username: role, password: 'plain' })
  const lines: string[] = []
  for (let starts = 0; starts < 2; starts++) await migrate(plain.href, (line) => lines.push(line))
  const warning = expect.stringMatching(
    /^searching Trash by text reads every row \(.*\): have `create extension pg_trgm`/,
  ) as string
  expect(lines).toEqual([warning, warning])
  expect(await conditionOf(url)).toMatchObject({ hasTextIndex: false })
  const store = openStore(url)
  onTestFinished(() => store.close())
  expect(await listTrash(store, { text: '50%' }, 1, null)).toEqual([])
  await migrate(url)
  expect(await conditionOf(url)).toMatchObject({ hasTextIndex: true })
})

test('an engine whose Trash has a column for tenants loses that, and finds its messages by an index of them', async () => {
  const url = await emptyDatabase()
  await migrate(url)
  const admin = postgres(url, { max: 1, onnotice: () => {} })
  onTestFinished(() => admin.end())
  await admin.unsafe(`drop index trash_tenant_created;
    alter table trash add column tenant text generated always as (message ->> 'tenant') stored;
    create index trash_tenant_created on trash (tenant, created_at, id) where tenant is not null;
    delete from drizzle.__drizzle_migrations where created_at = (select max(created_at) from drizzle.__drizzle_migrations)`)
  const lines: string[] = []
  await migrate(url, (line) => lines.push(line))
  expect(lines).toEqual([expect.stringMatching(/^migrated the database: \w*tenant$/)])
  await admin`set enable_seqscan = off`
  const plan =
    await admin`explain select id from trash where message ->> 'tenant' = 'ann' order by created_at desc, id desc`
  expect(JSON.stringify(plan)).toContain('Index Scan Backward using trash_tenant_created')
  expect(
    await admin`select from information_schema.columns where table_name = 'trash' and column_name = 'tenant'`,
  ).toEqual([])
})

test('a server that nobody listens on is unavailable', async () => {
  const store = openStore('postgres://nobody@127.0.0.1:1/none')
  onTestFinished(() => store.close())
  await expect(store.ping()).rejects.toBeInstanceOf(Unavailable)
  await expect(store.query((db) => db.execute(sql`select 1`))).rejects.toThrow(/ECONNREFUSED/)
  await expect(migrate('postgres://nobody@127.0.0.1:1/none')).rejects.toBeInstanceOf(Unavailable)
})

test('a store whose connections are cut answers again', async () => {
  const store = await migratedStore()
  await expect(
    store.query((db) => db.execute(sql`select pg_terminate_backend(pg_backend_pid())`)),
  ).rejects.toBeInstanceOf(Unavailable)
  await store.ping()
})

test('an error in a transaction leaves nothing behind', async () => {
  const store = await migratedStore()
  const half = store.transaction(async (inside) => {
    await inside.query((db) => db.execute(sql`insert into recorder_positions values ('t', 'e', 1)`))
    throw new Error('half way')
  })
  await expect(half).rejects.toThrow('half way')
  const rows = await store.query((db) => db.execute(sql`select * from recorder_positions`))
  expect(rows).toHaveLength(0)
})
