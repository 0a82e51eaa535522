import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hopKey, originOf } from '../../runtime/queue/names.ts'
import { openCampaign } from '../faults/campaign.ts'
import type { Campaign } from '../faults/campaign.ts'
import { checkCalls } from '../faults/check/calls.ts'
import { check } from '../faults/check/check.ts'
import type { Evidence, Hit } from '../faults/check/evidence.ts'
import { everyDeed, randomDeeds } from '../faults/deeds/deeds.ts'
import type { CallRecord } from '../faults/parts/worker.ts'
import type { Stored } from '../faults/check/stored.ts'
import type { Report } from '../faults/report.ts'
import { partFaults, pointFaults, randomFaults } from '../faults/schedule.ts'

const targets = {
  bridges: ['bridge-1', 'bridge-2'],
  controls: ['control-1', 'control-2'],
  worker: 'worker',
  postgres: 'postgres',
  nats: ['nats'],
}
let campaign: Campaign
let report: Report
const said: string[] = []

beforeAll(async () => {
  const say = (line: string): void => void said.push(line)
  campaign = await openCampaign({ seed: 1, servers: 1, bridges: 3, historyMs: 5_000, mischief: 0.5, say })
  await campaign.injectInTurn(pointFaults(1, campaign.targets))
  await campaign.injectTimed(partFaults(campaign.targets), everyDeed())
  report = await campaign.finish()
}, 300_000)
afterAll(() => campaign.close())

test('nothing is lost, doubled or out of order when processes die at every point of a hop, and every part is killed', () => {
  expect(report.violations, said.join('\n')).toEqual([])
  expect(report.faults).toBe(pointFaults(1, campaign.targets).length + partFaults(campaign.targets).length)
})

test('every deed is answered while parts are killed, and counts of what was cancelled and replayed are exact', () => {
  expect(Object.values(report.deeds).reduce((sum, count) => sum + count, 0)).toBe(everyDeed().length)
  expect(report.cancelled).toBeGreaterThan(0)
  expect(report.evidence.trash.some(({ state }) => state === 'replayed')).toBe(true)
})

/** The evidence of the campaign, with one thing wrong. */
function kindsOf(change: Partial<Evidence>): string[] {
  return check({ ...report.evidence, ...change }).map(({ kind }) => kind)
}

/** The first settlement of a message of this node, if it is named, of this kind. */
function settlementAt(node: string, kind?: Stored['kind']): Stored {
  const { stored, names } = report.evidence
  const inputs = stored.filter(({ message, nodeId }) => message !== null && names.get(nodeId) === node)
  const origins = new Set(inputs.map(({ message, nodeId }) => message && originOf(hopKey(message, nodeId))))
  const found = stored.find((one) => origins.has(one.origin) && (kind === undefined || one.kind === kind))
  if (found === undefined) throw new Error(`nothing settled at ${node}`)
  return found
}

test('a settlement that is missing is lost', () => {
  const missing = settlementAt('join')
  expect(kindsOf({ stored: report.evidence.stored.filter((one) => one !== missing) })).toContain('lost')
})

test('a second settlement of a hop is doubled', () => {
  const second = { ...settlementAt('chain-1'), sequence: 1e9 }
  expect(kindsOf({ stored: [...report.evidence.stored, second] })).toContain('doubled')
})

test('a settlement of an ordered node that is overtaken is out of order', () => {
  const late = settlementAt('chain-2')
  const stored = report.evidence.stored.map((one) => (one === late ? { ...one, sequence: 1e9 } : one))
  expect(kindsOf({ stored: stored.sort((a, b) => a.sequence - b.sequence) })).toContain('order')
})

test('a run whose counters differ, and a Trash row that is missing, are found', () => {
  const { runs, trash } = report.evidence
  expect(kindsOf({ runs: runs.map((run, index) => (index === 0 ? { ...run, done: run.done + 1 } : run)) })).toEqual([
    'counter',
  ])
  expect(kindsOf({ trash: trash.slice(1) })).toContain('counter')
})

test('a run that was cancelled, or a message that was replayed, without anybody asking for it is found', () => {
  const { asked } = report.evidence
  expect(kindsOf({ asked: { ...asked, cancelled: new Set() } })).toContain('counter')
  expect(kindsOf({ asked: { ...asked, replayed: new Set() } })).toContain('stray')
})

test('what comes of a run after it was over is found', () => {
  const { stored } = report.evidence
  // One that passed its message on: it changes no count of its run.
  const late = { ...settlementAt('chain-1', 'node'), sequence: 1e9 }
  expect(kindsOf({ stored: [...stored.filter(({ origin }) => origin !== late.origin), late] })).toContain('counter')
})

const callOf = (key: string, at: number): CallRecord => ({
  ...{ call: `${key}-${at}`, key, at, attempt: 1, answer: '200', node: 'chain-1', id: key, sequence: 1 },
})
const killOf = (from: number, to: number): Hit => ({ text: 'SIGKILL bridge-1', what: 'bridge', isKill: true, from, to })

test('a call that is made again is no violation when a fault lies between, which has not cost more yet', () => {
  const calls = [callOf('one', 0), callOf('one', 100)]
  expect(checkCalls({ calls, hits: [killOf(200, 300)], atOnce: 1 }).map(({ kind }) => kind)).toEqual(['calls'])
  expect(checkCalls({ calls, hits: [killOf(50, 60)], atOnce: 1 })).toEqual([])
  expect(checkCalls({ calls, hits: [killOf(50, 60)], atOnce: 0 })).toHaveLength(1)
})

test('a call of a message that was replayed is none that was made again', () => {
  const calls = [callOf('one', 0), { ...callOf('one', 100), sequence: 2 }]
  expect(checkCalls({ calls, hits: [], atOnce: 1 })).toEqual([])
})

test('of faults that overlap each gets what it may, if there is a way', () => {
  // The first message may be put down to both faults, the second one to the first only.
  const calls = [callOf('both', 0), callOf('early', 1), callOf('early', 20), callOf('both', 60)]
  const hits = [killOf(10, 15), killOf(40, 45)]
  expect(checkCalls({ calls, hits, atOnce: 1 })).toEqual([])
  expect(checkCalls({ calls, hits: hits.slice(0, 1), atOnce: 1 })).toHaveLength(1)
})

test('a seed gives the same faults again, and another seed others', () => {
  const faults = randomFaults(7, 600_000, targets)
  expect(randomFaults(7, 600_000, targets)).toEqual(faults)
  expect(randomFaults(8, 600_000, targets)).not.toEqual(faults)
  expect(randomDeeds(7, 600_000)).toEqual(randomDeeds(7, 600_000))
  expect(randomDeeds(8, 600_000)).not.toEqual(randomDeeds(7, 600_000))
})

test.each([1, 2, 3])('ten minutes have 200 kills, and one outage of two minutes (seed %i)', (seed) => {
  const faults = randomFaults(seed, 600_000, targets)
  const kills = faults.flatMap((fault) => (fault.kind === 'kill' ? fault.targets : []))
  // Points at random, which may not be reached, come on top.
  expect(kills.length + pointFaults(seed, targets).length).toBeGreaterThanOrEqual(200)
  expect(faults.filter((fault) => fault.kind === 'kill' && fault.forMs === 120_000)).toHaveLength(1)
})

test.each([['--minutes', 'long'], ['--seed', '-1'], ['--sede', '1'], ['hello']])(
  '%s %s is wrong use: one line, exit code 2',
  async (...args) => {
    const child = spawn(process.execPath, ['--import', 'tsx', '--conditions=source', 'test/faults/main.ts', ...args])
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
    const [code] = (await once(child, 'close')) as [number | null]
    expect(code).toBe(2)
    expect(said.trim().split('\n')).toHaveLength(1)
  },
)
