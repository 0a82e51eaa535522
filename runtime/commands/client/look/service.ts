import type { Command } from 'commander'
import { dataOf } from '../../../client/answer.ts'
import type { LimitKey, ServiceState } from '../../../client/openapi.d.ts'
import { addOptions, examples, wholeNumber } from '../../define.ts'
import { limitsText } from '../../terminal/limits.ts'
import { addFormat, grouped, plain, printData, printList } from '../../terminal/print.ts'
import type { Format } from '../../terminal/print.ts'
import { findEngine } from '../find.ts'

interface Flags extends Record<string, unknown> {
  readonly output: Format
  readonly tenant?: string
  readonly limit?: number
}

/** `sluice service state`. */
export function defineState(service: Command): void {
  const state = service
    .command('state')
    .description('say what its limits do, and when what waits will be done')
    .argument('<name>')
    .option('--tenant <tenant>', 'only the key of this one')
    .option('--limit <n>', 'so many keys at most', wholeNumber('--limit', 1, 500))
    .action(async (name: string, flags: Flags) => {
      const { tenant, limit, output } = flags
      const query = { ...(tenant !== undefined && { tenant }), ...(limit !== undefined && { limit }) }
      const path = '/api/services/{name}/state'
      const found = await dataOf(findEngine(flags).GET(path, { params: { path: { name }, query } }))
      if (output === 'table') show(found)
      else printData(found, output)
    })
  examples(addOptions(addFormat(state), 'client'), [
    ['sluice service state shopify', 'calls that wait, observed and declared rate, and the end of the backlog'],
    ['sluice service state shopify --tenant acme -o json', 'of one tenant'],
  ])
}

function show(state: ServiceState): void {
  const { name, limits, maxInFlight, inFlightScope, shared, items, next, users, bridges } = state
  const scope = inFlightScope === 'tenant' ? ' per tenant' : ''
  const inFlight = maxInFlight === null ? '' : `${maxInFlight} calls in flight${scope}`
  const declared = [limitsText(limits), inFlight].filter((text) => text !== '').join('; ')
  console.log(`${name}: ${declared === '' ? 'no limits' : declared}`)
  printList(
    [shared, ...items],
    [
      ['KEY', (key) => (key === shared ? '(all)' : (key.who ?? '(no tenant)'))],
      ['WAITING', ({ waiting }) => grouped(waiting)],
      ['IN FLIGHT', (key) => key.inFlight],
      ['PER SECOND', ({ ratePerSecond }) => ratePerSecond],
      ['DECLARED', ({ declaredPerSecond }) => declaredPerSecond && Math.round(declaredPerSecond * 1e4) / 1e4],
      ['NEXT PERMIT', ({ nextPermitAt }) => nextPermitAt],
      ['TURNS UNTIL', ({ turnsEndAt }) => turnsEndAt],
      ['PAUSED', (key) => pausedText(key)],
    ],
    'table',
  )
  if (next !== null) console.log('there are more keys: --limit, --tenant')
  console.log(`used by: ${users.length === 0 ? 'no node' : users.map(userText).join(', ')}`)
  console.log(doneText(state))
  for (const bridge of new Set([shared, ...items].flatMap(({ awayBridges }) => awayBridges)))
    console.log(`note: bridge ${bridge} can't keep what it reserves in NATS: it goes on with its share of the rate`)
  for (const bridge of bridges.silent) console.log(`note: bridge ${bridge} did not answer`)
}

function pausedText({ pausedUntil, asked }: LimitKey): string | null {
  if (pausedUntil === null || asked === null) return null
  const why = asked.retryAfterMs === null ? 'backoff' : `asked for ${asked.retryAfterMs / 1_000} s`
  return `until ${pausedUntil} (429, ${why})`
}

function userText({ topology, node, published }: ServiceState['users'][number]): string {
  return plain(`${topology}/${node}${published ? '' : ' (draft)'}`)
}

function doneText({ backlog, secondsLeft, doneAt, by, reason }: ServiceState): string {
  if (by === 'nothing-waits') return 'nothing waits'
  const waiting = `${grouped(backlog)} messages wait`
  if (secondsLeft === null) return `${waiting}; done: ${plain(reason ?? 'nobody knows')}`
  const how = by === 'declared' ? 'by the declared limits' : 'if it goes on as in the last seconds'
  return `${waiting}; done in about ${grouped(secondsLeft)} s, at ${doneAt}, ${how}`
}
