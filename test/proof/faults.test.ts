import { afterEach, expect, test } from 'vitest'
import { openCampaign } from '../faults/campaign.ts'
import type { Campaign } from '../faults/campaign.ts'
import { randomDeeds } from '../faults/deeds/deeds.ts'
import { randomFaults } from '../faults/schedule.ts'

let campaign: Campaign | undefined
afterEach(() => campaign?.close())

/** Faults and deeds at random for so long, as `npm run faults` has them; `npm test` has every point once. */
test.each([
  // Long enough for an outage: NATS and all bridges are down together for two of the minutes.
  ['', { minutes: 3, seed: 1, servers: 1, kills: 30 }],
  [', also in a cluster of three servers', { minutes: 1.5, seed: 763203, servers: 3, kills: 15 }],
] as const)(
  'faults of all kinds at random lose, double and reorder nothing, and counters are exact%s',
  { timeout: 8 * 60_000 },
  async (_, { minutes, seed, servers, kills }) => {
    const said: string[] = []
    const say = (line: string): void => void said.push(line)
    campaign = await openCampaign({ seed, servers, bridges: 2, historyMs: 20_000, mischief: 1, say })
    const durationMs = minutes * 60_000
    await campaign.injectTimed(randomFaults(seed, durationMs, campaign.targets), randomDeeds(seed, durationMs))
    const { violations, evidence, ...report } = await campaign.finish()
    console.log(JSON.stringify({ seed, servers, ...report }))
    expect(violations, said.join('\n')).toEqual([])
    expect(report.kills).toBeGreaterThanOrEqual(kills)
    expect(evidence.starts.size).toBeGreaterThan(0)
    const killed = evidence.hits.filter(({ isKill }) => isKill).map(({ text }) => text)
    for (const server of campaign.targets.nats) expect(killed.join('\n')).toContain(server)
  },
)
