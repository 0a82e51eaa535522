import { worker, type Call, type Worker } from '@sluiceway/worker'
import type { Article, ArticlePage } from './source.ts'
import type { ArticlesTable } from './table.ts'

export interface ArticlesOptions {
  readonly sourceUrl: string
  readonly articles: Pick<ArticlesTable, 'save'>
  readonly pageSize?: number | undefined
}

/** The worker of the topology `articles`: list → store. */
export function articlesWorker({ sourceUrl, articles, pageSize = 500 }: ArticlesOptions): Worker {
  return worker({ name: 'articles', version: '1.0.0', baseUrl: sourceUrl })
    .batch('list', { title: 'List changed articles' }, async ({ cursor, watermark, http }) => {
      const query = { updatedSince: watermark, after: cursor, limit: pageSize }
      const page = await http.get('/articles', { query }).json<ArticlePage>()
      // An empty page proposes what it was handed: nothing is newer than that.
      const reached = page.items.at(-1)?.updatedAt ?? watermark
      return { records: page.items, cursor: page.next, watermark: reached, progress: `up to ${reached ?? 'now'}` }
    })
    .connector('store', { title: 'Store in Postgres', prefetch: 10 }, ({ body }: Call<Article>) => articles.save(body))
}
