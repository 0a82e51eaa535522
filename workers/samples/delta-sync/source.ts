import { listen, send, sendProblem, type HttpServer } from '../cities/systems/http-server.ts'

export interface Article {
  readonly id: number
  readonly name: string
  readonly price: number
  /** RFC 3339, of the last change. */
  readonly updatedAt: string
}

export interface ArticlePage {
  readonly items: readonly Article[]
  /** Asks for the next page; null on the last one. */
  readonly next: string | null
}

/** The system that has the articles. */
export interface Source extends HttpServer {
  /** Adds or changes one, as of a time (default: now). */
  put(article: Omit<Article, 'updatedAt'>, updatedAt?: string): void
  /** As they are now. */
  articles(): Article[]
  /** `updatedSince` of each first page that was asked for; null: everything. */
  readonly asked: (string | null)[]
}

const limitMax = 1000

/**
 * Starts the API: `GET /articles?updatedSince=T&after=CURSOR&limit=N` answers what was changed at T or later, by time and id. What
 * changes while pages are read moves to the end of the order, so that whoever reads on comes across it. `onPage` is called before each page.
 */
export async function startSource(port: number, onPage: (nth: number) => void = () => undefined): Promise<Source> {
  const articles = new Map<number, Article>()
  const asked: (string | null)[] = []
  let pages = 0
  const server = await listen(port, (url, response) => {
    const { searchParams: query, pathname } = url
    if (pathname !== '/articles') return sendProblem(response, 404, 'Not found', `Nothing is at ${pathname}.`)
    const since = query.get('updatedSince')
    const after = query.get('after')
    const limit = Number(query.get('limit') ?? limitMax)
    if ((since !== null && Number.isNaN(Date.parse(since))) || !(limit >= 1 && limit <= limitMax))
      return sendProblem(response, 400, 'Bad request', 'updatedSince must be a time, limit a number up to 1000.')
    if (after === null) asked.push(since)
    onPage(pages++)
    send(response, 200, pageOf([...articles.values()], since, after, limit))
  })
  return {
    ...server,
    asked,
    put: (article, updatedAt = new Date().toISOString()) => void articles.set(article.id, { ...article, updatedAt }),
    articles: () => [...articles.values()],
  }
}

const placeOf = ({ updatedAt, id }: Article): string => `${updatedAt}/${String(id).padStart(12, '0')}`

function pageOf(all: readonly Article[], since: string | null, after: string | null, limit: number): ArticlePage {
  const from = since === null ? '' : new Date(since).toISOString()
  const left = all
    .filter((article) => article.updatedAt >= from && (after === null || placeOf(article) > after))
    .sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1))
  const items = left.slice(0, limit)
  const last = items.at(-1)
  return { items, next: left.length > limit && last !== undefined ? placeOf(last) : null }
}
