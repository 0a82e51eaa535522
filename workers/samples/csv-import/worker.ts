import { Fail, worker, type Call, type Worker } from '@sluiceway/worker'
import type { Product, ProductsTable } from './table.ts'

/** A row as it comes: CSV knows nothing but text. */
interface Row {
  readonly sku: string
  readonly name: string
  readonly price: string
}

/** The worker of the topology `csv-import`: check → store. */
export function productsWorker(products: Pick<ProductsTable, 'save'>): Worker {
  return worker({ name: 'products', version: '1.0.0' })
    .custom('check', { title: 'Check a row', prefetch: 10 }, ({ body }: Call<Row>) => productOf(body))
    .connector('store', { title: 'Store in Postgres', prefetch: 10 }, ({ body }: Call<Product>) => products.save(body))
}

/** Throws `Fail` for a row that a person has to mend. */
function productOf({ sku, name, price }: Row): Product {
  const cents = Math.round(Number(price) * 100)
  if (sku.trim() === '') throw new Fail('the product has no sku')
  if (price.trim() === '' || !Number.isSafeInteger(cents) || cents < 0) throw new Fail('the price is no number')
  return { sku: sku.trim(), name: name.trim(), cents }
}
