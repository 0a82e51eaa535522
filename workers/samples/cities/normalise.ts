import { Fail } from '@sluiceway/worker'
import type { City, Place } from './records.ts'

// Spelt out, since languages differ in what their \s means; ../python/normalise.py has the same.
const space = /[ \t\n\r\f\v\u00a0\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/g

/** Names composed (NFC) and without stray space, plus a form to search by. Throws `Fail` for what is no place. */
export function normalise(city: Partial<City> | null | undefined): Place {
  if (typeof city !== 'object' || city === null || typeof city.id !== 'number' || typeof city.name !== 'string') {
    throw new Fail('The body has no numeric id and name.', { title: 'Not a place' })
  }
  const name = clean(city.name)
  return {
    id: city.id,
    name,
    altName: clean(text(city.altName)) || null,
    search: name
      .normalize('NFKD')
      .replace(/\p{Mn}/gu, '')
      .toLowerCase(),
    country: text(city.country).toUpperCase(),
    adminCode: text(city.adminCode),
    featureCode: text(city.featureCode),
    population: number(city.population),
    lat: number(city.lat),
    lon: number(city.lon),
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function number(value: unknown): number {
  return typeof value === 'number' ? value : 0
}

function clean(text: string): string {
  return text.normalize('NFC').replace(space, ' ').replace(/^ | $/g, '')
}
