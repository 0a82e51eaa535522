/**
 * The sample's API and worker in one process: `ARTICLES_POSTGRES_URL=postgres://… main.ts`. Prints one line of JSON with both
 * addresses. The API begins with 2000 articles.
 */
import { serve } from '@sluiceway/worker/node'
import { startSource } from './source.ts'
import { openArticles } from './table.ts'
import { articlesWorker } from './worker.ts'

const postgresUrl = process.env['ARTICLES_POSTGRES_URL']
if (postgresUrl === undefined || postgresUrl === '') {
  console.error('ARTICLES_POSTGRES_URL is not set: the worker stores articles there')
  process.exit(1)
}
const source = await startSource(0)
for (let id = 1; id <= 2000; id++) source.put({ id, name: `Article ${id}`, price: id / 100 })
const articles = await openArticles(postgresUrl)
const serving = await serve(articlesWorker({ sourceUrl: source.url, articles }), { port: 0 })
process.once('SIGTERM', () => {
  void serving
    .close(1000)
    .then(() => Promise.all([source.close(), articles.close()]))
    .then(() => process.exit(0))
})
console.log(JSON.stringify({ worker: serving.url, source: source.url }))
