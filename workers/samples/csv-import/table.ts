import { Retry } from '@sluiceway/worker'
import postgres from 'postgres'

export interface Product {
  readonly sku: string
  readonly name: string
  readonly cents: number
}

/** The table `products`. */
export interface ProductsTable {
  /** Inserts or replaces a product: whoever calls again changes nothing. Throws `Retry` when it can't be stored now. */
  save(product: Product): Promise<void>
  close(): Promise<void>
}

/** Connects, and makes the table when it isn't there. */
export async function openProducts(url: string): Promise<ProductsTable> {
  const sql = postgres(url, { max: 5, onnotice: () => undefined })
  await sql`create table if not exists products (sku text primary key, name text not null, cents bigint not null)`
  return {
    async save({ sku, name, cents }) {
      try {
        await sql`
          insert into products (sku, name, cents) values (${sku}, ${name}, ${cents})
          on conflict (sku) do update set name = excluded.name, cents = excluded.cents`
      } catch (error) {
        throw new Retry('the product could not be stored', { cause: error })
      }
    },
    close: () => sql.end(),
  }
}
