/** For `sluice dev --worker`: the worker with the table of the database in PRODUCTS_POSTGRES_URL. */
import { openProducts } from './table.ts'
import { productsWorker } from './worker.ts'

const url = process.env.PRODUCTS_POSTGRES_URL
if (url === undefined || url === '') throw new Error('PRODUCTS_POSTGRES_URL is not set: the worker needs a database')

export default productsWorker(await openProducts(url))
