/**
 * For `sluice dev --worker`: the worker with the table of the database in ARTICLES_POSTGRES_URL, and with the API in its own process.
 * That begins with 2000 articles, and one of them changes every few seconds.
 */
import { startSource } from './source.ts'
import { openArticles } from './table.ts'
import { articlesWorker } from './worker.ts'

const changeEveryMs = 5_000
const count = 2_000

const postgresUrl = process.env['ARTICLES_POSTGRES_URL']
if (postgresUrl === undefined || postgresUrl === '')
  throw new Error('ARTICLES_POSTGRES_URL is not set: the worker stores articles there')

const source = await startSource(0)
for (let id = 1; id <= count; id++) source.put({ id, name: `Article ${id}`, price: id / 100 })
let changes = 0
setInterval(() => {
  const id = (changes++ % count) + 1
  source.put({ id, name: `Article ${id}, changed`, price: id / 100 + changes })
}, changeEveryMs).unref()

export default articlesWorker({ sourceUrl: source.url, articles: await openArticles(postgresUrl) })
