import postgres from 'postgres'
import { inject, onTestFinished } from 'vitest'
import { newId } from '../../runtime/ids.ts'
import { openStore } from '../../runtime/store/store.ts'
import type { Store } from '../../runtime/store/store.ts'
import { freshDatabase } from '../support/database.ts'

/** A store on a database of its own, closed when the test is over. */
export async function migratedStore(): Promise<Store> {
  const store = openStore(await freshDatabase(), 4)
  onTestFinished(() => store.close())
  return store
}

/** URL of a database that no migration has seen. */
export async function emptyDatabase(): Promise<string> {
  const url = new URL(inject('postgresUrl'))
  const name = `empty_${newId()}`
  const client = postgres(url.href, { max: 1, onnotice: () => {} })
  await client`create database ${client(name)}`
  await client.end()
  url.pathname = `/${name}`
  return url.href
}
