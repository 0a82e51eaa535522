import { afterEach, expect, test } from 'vitest'
import { openCampaign } from '../faults/campaign.ts'
import type { Campaign, CampaignOptions, Report } from '../faults/campaign.ts'
import { randomFaults } from '../faults/schedule.ts'

let campaign: Campaign | undefined
afterEach(() => campaign?.close())

/** Faults at random for so long, as `npm run faults` injects them; `npm test` has every point once. */
async function campaignOf(
  minutes: number,
  options: Pick<CampaignOptions, 'seed' | 'servers'>,
): Promise<{ report: Report; said: string }> {
  const said: string[] = [`seed ${options.seed}`]
  const say = (line: string): void => void said.push(line)
  campaign = await openCampaign({ ...options, bridges: 2, historyMs: 20_000, mischief: 1, say })
  await campaign.injectTimed(randomFaults(options.seed, minutes * 60_000, campaign.targets))
  const report = await campaign.finish()
  const { faults, kills, runs, messages, calls, repeated } = report
  console.log(JSON.stringify({ ...options, faults, kills, runs, messages, calls, repeated }))
  return { report, said: said.join('\n') }
}

test(
  'faults of all kinds at random lose, double and reorder nothing, and counters are exact',
  { timeout: 20 * 60_000 },
  async () => {
    const { report, said } = await campaignOf(2, { seed: 1, servers: 1 })
    expect(report.violations, said).toEqual([])
    expect(report.kills).toBeGreaterThanOrEqual(30)
  },
)
