import { Option } from 'commander'
import type { Command } from 'commander'
import { dataOf } from '../../client/answer.ts'
import type { Engine } from '../../client/engine.ts'
import type { ServiceInput, ServiceLimit } from '../../client/openapi.d.ts'
import { Conflict } from '../../errors.ts'
import { addOptions, examples, wholeNumber } from '../define.ts'
import { readLimit } from '../terminal/limits.ts'
import { findEngine } from './find.ts'
import { defineState } from './look/service.ts'

interface Flags extends Record<string, unknown> {
  readonly limit?: readonly ServiceLimit[]
  readonly maxInFlight?: number
  readonly inFlightScope?: 'global' | 'tenant'
  readonly tenant?: string
}

export function define(command: Command): void {
  const add = command
    .command('add')
    .description('say what a service allows; of one that is there all is replaced')
    .argument('<name>', 'as topologies call it')
    .option(
      '--limit <limit>',
      'RATE/PERIOD, and after commas burst=N, scope=tenant; may be given several times',
      gatherLimit,
    )
    .option('--max-in-flight <n>', 'calls open at once', wholeNumber('--max-in-flight', 1, 10_000))
    .addOption(
      new Option('--in-flight-scope <scope>', 'whose calls these are; all of them by default').choices([
        'global',
        'tenant',
      ]),
    )
    .action(addService)
  examples(addOptions(add, 'client'), [
    ['sluice service add shopify --limit 2/second,burst=10 --limit 10000/day', 'two limits, both hold'],
    ['sluice service add erp --max-in-flight 4', 'no more than four calls at once'],
    ['sluice service add crm --max-in-flight 2 --in-flight-scope tenant', 'two for each tenant'],
  ])
  defineState(command)
  defineResume(command)
  const remove = command
    .command('remove')
    .description('forget a service that no node uses')
    .argument('<name>')
    .action(async (name: string, flags: Flags) => {
      await findEngine(flags).DELETE('/api/services/{name}', { params: { path: { name } } })
      console.log(`service ${name} is removed`)
    })
  examples(addOptions(remove, 'client'), [['sluice service remove shopify', 'at once']])
}

function defineResume(command: Command): void {
  const resume = command
    .command('resume')
    .description('call it again, though it asked to wait (429); one that still means it asks again')
    .argument('<name>')
    .option('--tenant <tenant>', 'only for this one')
    .action(async (name: string, { tenant, ...flags }: Flags) => {
      const query = { ...(tenant !== undefined && { tenant }) }
      const { ended } = await dataOf(
        findEngine(flags).POST('/api/services/{name}/resume', { params: { path: { name }, query } }),
      )
      const nothing =
        tenant === undefined
          ? `service ${name} waits for nothing`
          : `${tenant} has no wait of its own at service ${name}; without --tenant all that wait are called again`
      console.log(ended === 0 ? nothing : `service ${name} is called again: ${endedText(ended)}`)
    })
  examples(addOptions(resume, 'client'), [
    ['sluice service resume shopify', 'at once, whatever it asked for'],
    ['sluice service resume shopify --tenant acme', 'only for that tenant'],
  ])
}

const endedText = (count: number): string => (count === 1 ? 'one wait is ended' : `${count} waits are ended`)

/** For commander. */
function gatherLimit(text: string, before: readonly ServiceLimit[] | undefined): readonly ServiceLimit[] {
  return [...(before ?? []), readLimit(text)]
}

async function addService(name: string, flags: Flags): Promise<void> {
  const { limit: limits = [], maxInFlight, inFlightScope } = flags
  await registerService(findEngine(flags), {
    name,
    limits: [...limits],
    ...(maxInFlight !== undefined && { maxInFlight }),
    ...(inFlightScope !== undefined && { inFlightScope }),
  })
  console.log(`service ${name} is stored`)
}

async function registerService(engine: Engine, body: ServiceInput): Promise<void> {
  try {
    await dataOf(engine.POST('/api/services', { body }))
  } catch (error) {
    if (!(error instanceof Conflict)) throw error
    await engine.PUT('/api/services/{name}', { params: { path: { name: body.name } }, body })
  }
}
