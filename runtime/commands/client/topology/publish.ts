import type { Command } from 'commander'
import { dataOf } from '../../../client/answer.ts'
import type { Engine } from '../../../client/engine.ts'
import type { RepublishedTopology } from '../../../client/openapi.d.ts'
import { addOptions, examples } from '../../define.ts'
import { forEach } from '../../terminal/print.ts'
import { inFlightOption } from '../files/in-flight.ts'
import { addWait, awaitApplied } from '../files/wait.ts'
import type { WaitFlags } from '../files/wait.ts'
import { findEngine } from '../find.ts'
import { discard } from './discard.ts'

interface Flags extends Record<string, unknown>, WaitFlags {
  readonly inFlight?: 'refuse' | 'drain' | 'trash'
  readonly discard?: boolean
}

type Deed = (engine: Engine, topology: string, flags: Flags) => Promise<string>

const deeds: Readonly<Record<string, Deed>> = { publish, republish, unpublish }

/** `publish`, `republish` and `unpublish`, by the command's name. */
export function define(command: Command): void {
  const name = command.name()
  command.argument('<topologies...>', 'names or ids').action(async (topologies: readonly string[], flags: Flags) => {
    const engine = findEngine(flags)
    const one = async (topology: string) => {
      console.log((await deeds[name]?.(engine, topology, flags)) ?? '')
      if (flags.wait === true && flags.discard !== true) await awaitApplied(engine, topology, flags)
    }
    const [first = '', ...more] = topologies
    if (more.length === 0) return one(first)
    await forEach(topologies, one)
  })
  if (name === 'publish')
    command.addOption(inFlightOption('what to do with nodes that go away while messages may come to them'))
  if (name === 'unpublish')
    command.option('--discard', 'what is queued settles as cancelled; --wait until all of it has')
  addOptions(addWait(command), 'client')
  examples(command, calls[name] ?? [])
}

const calls: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  publish: [
    ['sluice publish orders --wait', 'the draft, and wait until every live bridge goes by it'],
    ['sluice publish orders --in-flight drain', 'nodes that go away finish what they have'],
  ],
  republish: [['sluice republish orders', 'what was set with `sluice set`, and nothing else of the draft']],
  unpublish: [
    ['sluice unpublish orders', 'back to draft; what is queued is kept for a later publish'],
    ['sluice unpublish orders --discard --wait', 'what is queued is cancelled, and it ends when nothing is left'],
  ],
}

async function publish(engine: Engine, topology: string, { inFlight = 'refuse' }: Flags): Promise<string> {
  const params = { path: { topology }, query: { inFlight } }
  const { revision } = await dataOf(engine.POST('/api/topologies/{topology}/publish', { params }))
  return `${topology} is published as revision ${revision}`
}

async function republish(engine: Engine, topology: string): Promise<string> {
  return republishedText(topology, await republishTopology(engine, topology))
}

export function republishTopology(engine: Engine, topology: string): Promise<RepublishedTopology> {
  return dataOf(engine.POST('/api/topologies/{topology}/republish', { params: { path: { topology } } }))
}

export function republishedText(topology: string, { revision, bridges }: RepublishedTopology): string {
  const { applied, missing } = bridges
  const late = missing.length === 0 ? '' : `, not yet by ${missing.join(', ')}`
  return `${topology} is republished as revision ${revision}: applied by ${applied.length} bridges${late}`
}

async function unpublish(engine: Engine, topology: string, flags: Flags): Promise<string> {
  if (flags.discard === true) return discard(engine, topology, flags)
  await engine.POST('/api/topologies/{topology}/unpublish', { params: { path: { topology } } })
  return `${topology} is a draft: what is queued stays for a later publish`
}
