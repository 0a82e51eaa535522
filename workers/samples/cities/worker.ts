import { worker, type Call, type Fetch, type Worker } from '@sluiceway/worker'
import { normalise } from './normalise.ts'
import type { City, CityPage, EnrichedPlace, Enrichment, Place } from './records.ts'
import type { PlacesTable } from './systems/table.ts'

export interface CitiesOptions {
  readonly sourceUrl: string
  readonly enrichmentUrl: string
  readonly places: Pick<PlacesTable, 'save'>
  readonly secret?: string | undefined
  /** What calls the two systems; default the global `fetch`. */
  readonly fetch?: Fetch | undefined
}

/** The worker of the topology `cities`: list → normalise → enrich → store. */
export function citiesWorker({ sourceUrl, enrichmentUrl, places, ...shared }: CitiesOptions): Worker {
  return worker({ name: 'cities', version: '1.0.0', baseUrl: sourceUrl, ...shared })
    .batch('list', { title: 'List places', timeoutMs: 1000 }, async ({ cursor, http }) => {
      const page = await http.get('/cities', { query: { after: cursor, limit: 500 } }).json<CityPage>()
      const progress = `${page.next ?? page.total}/${page.total}`
      return { records: page.items, cursor: page.next, progress, emit: 'records' }
    })
    .custom('normalise', { title: 'Normalise names', prefetch: 10 }, ({ body }: Call<City>) => normalise(body))
    .connector('enrich', { title: 'Add country and time zone', prefetch: 10 }, async ({ body, http }: Call<Place>) => {
      const { name, country, lat, lon, featureCode: feature } = body
      const query = { name, country, lat, lon, feature }
      const found = await http.get(`${enrichmentUrl}/enrich`, { query }).json<Enrichment>()
      return { ...body, countryName: found.country, continent: found.continent, timeZone: found.timeZone }
    })
    .connector('store', { title: 'Store in Postgres', prefetch: 10 }, ({ body, id, run }: Call<EnrichedPlace>) =>
      places.save({ place: body, messageId: id, run }),
    )
}
