/** `npm run faults -- --minutes 10 --seed N [--cluster]`. */
import { parseArgs } from 'node:util'
import { textOf } from '../../runtime/errors.ts'
import { openCampaign } from './campaign.ts'
import { randomDeeds } from './deeds/deeds.ts'
import type { Report } from './report.ts'
import { pointFaults, randomFaults } from './schedule.ts'

const usage = 'npm run faults -- [--minutes 0–1440] [--seed 0–4294967295] [--history-ms 1000–3600000] [--cluster]'

/** Violations that are printed one by one. */
const shown = 50

interface Arguments {
  readonly minutes: number
  readonly seed: number
  readonly historyMs: number
  readonly cluster: boolean
}

class WrongUse extends Error {}

function argumentsOf(args: readonly string[]): Arguments {
  const options = {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    'history-ms': { type: 'string', default: '20000' },
    cluster: { type: 'boolean', default: false },
  } as const
  let values
  try {
    values = parseArgs({ args: [...args], options, allowPositionals: false }).values
  } catch (error) {
    throw new WrongUse(textOf(error).split('\n')[0])
  }
  return {
    minutes: number('--minutes', values.minutes, 0, 1_440, /^\d+(\.\d+)?$/),
    seed: number('--seed', values.seed, 0, 0xffff_ffff, /^\d+$/),
    historyMs: number('--history-ms', values['history-ms'], 1_000, 3_600_000, /^\d+$/),
    cluster: values.cluster,
  }
}

function number(flag: string, text: string, min: number, max: number, form: RegExp): number {
  const value = form.test(text) ? Number(text) : NaN
  if (value >= min && value <= max) return value
  throw new WrongUse(`${flag} takes a number from ${min} to ${max}, not "${text}"`)
}

async function run({ minutes, seed, historyMs, cluster }: Arguments): Promise<boolean> {
  const since = performance.now()
  const say = (line: string): void =>
    console.log(`${((performance.now() - since) / 1_000).toFixed(1).padStart(7)} s  ${line}`)
  say(`seed ${seed}: every point once, then ${minutes} minutes at random`)
  const campaign = await openCampaign({ seed, servers: cluster ? 3 : 1, bridges: 2, historyMs, mischief: 1, say })
  try {
    say('everything works, work is coming in')
    await campaign.injectInTurn(pointFaults(seed, campaign.targets))
    say('every point had its turn')
    const durationMs = minutes * 60_000
    await campaign.injectTimed(randomFaults(seed, durationMs, campaign.targets), randomDeeds(seed, durationMs))
    say('no more faults: waiting until everything is settled')
    const report = await campaign.finish()
    const isGood = report.violations.length === 0
    await campaign.close(isGood ? undefined : 'keep')
    tell(report, say)
    return isGood
  } finally {
    await campaign.close()
  }
}

function tell(report: Report, say: (line: string) => void): void {
  const { faults, kills, deeds, runs, cancelled, messages, calls, repeated, violations } = report
  say(`${runs} runs, ${cancelled} of them cancelled, ${messages} messages, ${calls} calls; ${kills} kills`)
  const done = Object.entries(deeds).map(([kind, count]) => `${count} ${kind}`)
  say(`deeds: ${done.length === 0 ? 'none' : done.join(', ')}`)
  say(
    `${repeated.all} messages whose calls were repeated: ${repeated.perBridgeKill.toFixed(1)} for each kill of a bridge, ` +
      `${repeated.perNatsKill.toFixed(1)} for each kill of NATS`,
  )
  for (const { kind, text } of violations.slice(0, shown)) console.log(`${kind}: ${text}`)
  if (violations.length > shown) console.log(`… and ${violations.length - shown} more`)
  const count = (kind: string): number => violations.filter((violation) => violation.kind === kind).length
  console.log(`${count('lost')} lost ${count('doubled')} doubled ${count('order')} out of order over ${faults} faults`)
}

try {
  process.exitCode = (await run(argumentsOf(process.argv.slice(2)))) ? 0 : 1
} catch (error) {
  process.stderr.write(error instanceof WrongUse ? `${error.message}; ${usage}\n` : `${textOf(error)}\n`)
  process.exitCode = error instanceof WrongUse ? 2 : 1
}
