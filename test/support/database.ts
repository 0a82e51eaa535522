import postgres from 'postgres'
import { inject } from 'vitest'
import { newId } from '../../runtime/ids.ts'

/** URL of a new database with the engine's schema and no rows; it goes away with the server at the end of the run. */
export async function freshDatabase(): Promise<string> {
  const url = new URL(inject('postgresUrl'))
  const name = `test_${newId()}`
  const client = postgres(url.href, { max: 1, onnotice: () => {} })
  try {
    await client`create database ${client(name)} template ${client(inject('templateDatabase'))} strategy file_copy`
  } finally {
    await client.end()
  }
  url.pathname = `/${name}`
  return url.href
}
