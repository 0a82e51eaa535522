import { test } from 'vitest'
import { provesRandom } from './random-faults.ts'

/** `npm test` has every point once. Long enough for an outage: NATS and all bridges are down together for two of the minutes. */
test(
  'faults of all kinds at random lose, double and reorder nothing, and counters are exact',
  { timeout: 8 * 60_000 },
  () => provesRandom({ minutes: 3, seed: 1, servers: 1, kills: 30 }),
)
