/** The records as they move from the source system to the target table. */

/** As the source system has it. */
export interface City {
  readonly id: number
  readonly name: string
  readonly altName: string
  readonly country: string
  readonly adminCode: string
  /** What kind of place it is, a GeoNames feature code such as `PPLC`. */
  readonly featureCode: string
  readonly population: number
  readonly lat: number
  readonly lon: number
}

export interface CityPage {
  readonly items: readonly City[]
  /** Cursor of the next page; null on the last one. */
  readonly next: string | null
  readonly total: number
}

/** After `normalise`. */
export interface Place {
  readonly id: number
  readonly name: string
  readonly altName: string | null
  /** The name as people type it: lower case, without accents. */
  readonly search: string
  readonly country: string
  readonly adminCode: string
  readonly featureCode: string
  readonly population: number
  readonly lat: number
  readonly lon: number
}

/** What the enrichment API knows of a place. */
export interface Enrichment {
  readonly country: string
  readonly continent: string
  readonly timeZone: string
}

/** After `enrich`. */
export interface EnrichedPlace extends Place {
  readonly countryName: string
  readonly continent: string
  readonly timeZone: string
}

/** Feature codes of places that no longer exist: abandoned, destroyed, historical, historical capital. */
export const goneFeatureCodes: readonly string[] = ['PPLQ', 'PPLW', 'PPLH', 'PPLCH']
