import { test } from 'vitest'
import { provesRandom } from './random-faults.ts'

test(
  'faults of all kinds at random lose, double and reorder nothing, and counters are exact, also in a cluster of three servers',
  { timeout: 8 * 60_000 },
  () => provesRandom({ minutes: 1.5, seed: 763203, servers: 3, kills: 15 }),
)
