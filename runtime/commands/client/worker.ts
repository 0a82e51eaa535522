import { Option } from 'commander'
import type { Command } from 'commander'
import { Conflict } from '../../errors.ts'
import type { Fault } from '../../errors.ts'
import { addOptions } from '../define.ts'
import { segment } from '../../client/engine.ts'
import { findEngine } from './find.ts'
import type { Engine } from '../../client/engine.ts'
import { textOfFlag } from '../terminal/input.ts'

interface WorkerValues {
  readonly name: string
  readonly urls: readonly string[]
  readonly dialect?: string
  readonly secret?: string
  readonly timeoutMs?: number
}

interface WorkerShape {
  readonly manifestFaults: readonly Fault[]
  readonly manifest: { readonly nodes?: readonly { readonly name: string }[] } | null
}

interface Flags extends Record<string, unknown> {
  readonly dialect?: string
  readonly secret?: string
}

export function define(command: Command): void {
  const add = command
    .command('add')
    .description('register a worker, or change one of that name')
    .argument('<name>', 'as topologies call it')
    .argument('<urls...>', 'base URL of each instance')
    .addOption(new Option('--dialect <dialect>', 'how it is spoken to').choices(['native', 'orchesty']))
    .option('--secret <secret>', 'signs calls: @file, or - for stdin')
    .action(async (name: string, urls: string[], flags: Flags) => {
      const { dialect, secret } = flags
      const values = {
        name,
        urls,
        ...(dialect === undefined ? {} : { dialect }),
        ...(secret === undefined ? {} : { secret: textOfFlag(secret).trim() }),
      }
      const { manifest, manifestFaults } = await registerWorker(findEngine(flags), values)
      const nodes = manifest?.nodes?.map((node) => node.name).join(', ')
      console.log(`worker ${name} is registered; ${nodes === undefined ? 'it has no manifest' : `its nodes: ${nodes}`}`)
      for (const { path, message } of manifestFaults) console.error(`its manifest: ${path} is ignored: ${message}`)
    })
  addOptions(add, 'client')
  const remove = command
    .command('remove')
    .description('forget a worker')
    .argument('<name>')
    .action(async (name: string, flags: Flags) => {
      await findEngine(flags).send('DELETE', `/api/workers/${segment(name)}`)
      console.log(`worker ${name} is removed`)
    })
  addOptions(remove, 'client')
}

/** Registers a worker under its name, whether or not there is one already. */
export async function registerWorker(engine: Engine, values: WorkerValues): Promise<WorkerShape> {
  try {
    return (await engine.send<WorkerShape>('POST', '/api/workers', { body: values })).body
  } catch (error) {
    if (!(error instanceof Conflict)) throw error
  }
  return (await engine.send<WorkerShape>('PUT', `/api/workers/${segment(values.name)}`, { body: values })).body
}
