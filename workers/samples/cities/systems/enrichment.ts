import timeZoneAt from '@photostructure/tz-lookup'
import { continents, countries, type TCountryCode } from 'countries-list'
import type { ServerResponse } from 'node:http'
import { listen, send, sendProblem, type HttpServer } from './http-server.ts'
import { goneFeatureCodes, type Enrichment } from '../records.ts'

/** The system that knows more about places. */
export interface EnrichmentApi extends HttpServer {
  stats(): { readonly lookups: number; readonly refused: number }
}

/**
 * Starts the enrichment API: `GET /enrich?name=&country=&lat=&lon=&feature=` answers country, continent and time zone. It
 * refuses places that no longer exist with 422 and a problem that says so. `GET /stats` says what happened so far.
 */
export async function startEnrichment({ port }: { readonly port: number }): Promise<EnrichmentApi> {
  const counts = { lookups: 0, refused: 0 }
  const stats = () => ({ ...counts })
  const server = await listen(port, (url, response) => {
    if (url.pathname === '/stats') return send(response, 200, stats())
    if (url.pathname !== '/enrich') return sendProblem(response, 404, 'Not found', `Nothing is at ${url.pathname}.`)
    counts.lookups += 1
    const feature = url.searchParams.get('feature') ?? ''
    if (!goneFeatureCodes.includes(feature)) return enrich(url.searchParams, response)
    counts.refused += 1
    const name = url.searchParams.get('name') ?? 'The place'
    sendProblem(response, 422, 'Place no longer exists', `${name} has the feature code ${feature}: it is gone.`)
  })
  return { ...server, stats }
}

function enrich(query: URLSearchParams, response: ServerResponse): void {
  const code = query.get('country') ?? ''
  const [lat, lon] = [numberIn(query.get('lat'), 90), numberIn(query.get('lon'), 180)]
  if (lat === null || lon === null) {
    return sendProblem(response, 400, 'Bad coordinates', 'lat must be within ±90 and lon within ±180.')
  }
  if (!Object.hasOwn(countries, code))
    return sendProblem(response, 422, 'Unknown country', `No country has the code ${code}.`)
  const country = countries[code as TCountryCode]
  const answer: Enrichment = {
    country: country.name,
    continent: continents[country.continent],
    timeZone: timeZoneAt(lat, lon),
  }
  send(response, 200, answer)
}

function numberIn(text: string | null, limit: number): number | null {
  const number = text === null || text === '' ? Number.NaN : Number(text)
  return Math.abs(number) <= limit ? number : null
}
