import { randomUUID } from 'node:crypto'
import postgres from 'postgres'
import { onTestFinished } from 'vitest'
import { migrate } from '../../runtime/store/migrate.ts'
import { openStore } from '../../runtime/store/store.ts'
import type { Store } from '../../runtime/store/store.ts'

export async function emptyDatabase(): Promise<string> {
  const base = process.env['SLUICE_TEST_POSTGRES'] ?? 'postgres://postgres@127.0.0.1:54329/postgres'
  const name = `t_${randomUUID().replaceAll('-', '')}`
  const admin = postgres(base, { max: 1 })
  await admin.unsafe(`create database ${name}`)
  await admin.end()
  onTestFinished(async () => {
    const admin = postgres(base, { max: 1 })
    await admin.unsafe(`drop database ${name} with (force)`)
    await admin.end()
  })
  return base.replace(/\/[^/]*$/, `/${name}`)
}

/** A store on a database of its own, closed when the test is over. */
export async function migratedStore(): Promise<Store> {
  const url = await emptyDatabase()
  await migrate(url)
  const store = openStore(url, 4)
  onTestFinished(() => store.close())
  return store
}
