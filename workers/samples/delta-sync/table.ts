import postgres from 'postgres'
import type { Article } from './source.ts'

/** The table `articles`. */
export interface ArticlesTable {
  /** Takes an article unless it has one that is as new: so it may come twice, and in any order. */
  save(article: Article): Promise<void>
  close(): Promise<void>
}

/** Connects, and makes the table when it isn't there. */
export async function openArticles(url: string): Promise<ArticlesTable> {
  const sql = postgres(url, { max: 4, onnotice: () => undefined })
  await sql`
    create table if not exists articles (
      id bigint primary key,
      name text not null,
      price double precision not null,
      updated_at timestamptz not null
    )`
  return {
    async save({ id, name, price, updatedAt }) {
      await sql`
        insert into articles as a (id, name, price, updated_at) values (${id}, ${name}, ${price}, ${updatedAt})
        on conflict (id) do update set name = excluded.name, price = excluded.price, updated_at = excluded.updated_at
        where a.updated_at < excluded.updated_at`
    },
    close: () => sql.end({ timeout: 5 }),
  }
}
