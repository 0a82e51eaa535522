import { expect, onTestFinished } from 'vitest'
import { openCampaign } from '../faults/campaign.ts'
import { randomDeeds } from '../faults/deeds/deeds.ts'
import { randomFaults } from '../faults/schedule.ts'

/** Faults and deeds at random for so long, as `npm run faults` has them; nothing may be lost, doubled or reordered. */
export async function provesRandom(options: {
  readonly minutes: number
  readonly seed: number
  /** Of NATS. */
  readonly servers: 1 | 3
  /** At least so many. */
  readonly kills: number
}): Promise<void> {
  const { minutes, seed, servers, kills } = options
  const said: string[] = []
  const say = (line: string): void => void said.push(line)
  const campaign = await openCampaign({ seed, servers, bridges: 2, historyMs: 20_000, mischief: 1, say })
  onTestFinished(() => campaign.close())
  const durationMs = minutes * 60_000
  await campaign.injectTimed(randomFaults(seed, durationMs, campaign.targets), randomDeeds(seed, durationMs))
  const { violations, evidence, ...report } = await campaign.finish()
  console.log(JSON.stringify({ seed, servers, ...report }))
  expect(violations, said.join('\n')).toEqual([])
  expect(report.kills).toBeGreaterThanOrEqual(kills)
  expect(evidence.starts.size).toBeGreaterThan(0)
  const killed = evidence.hits.filter(({ isKill }) => isKill).map(({ text }) => text)
  for (const server of campaign.targets.nats) expect(killed.join('\n')).toContain(server)
}
