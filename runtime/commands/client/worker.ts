import { Option } from 'commander'
import type { Command } from 'commander'
import { answerOf, dataOf } from '../../client/answer.ts'
import type { Engine } from '../../client/engine.ts'
import type { Worker, WorkerInput } from '../../client/openapi.d.ts'
import { Conflict } from '../../errors.ts'
import { addOptions, examples, wholeNumber } from '../define.ts'
import { textOfFlag } from '../terminal/input.ts'
import { findEngine } from './find.ts'

interface Flags extends Record<string, unknown> {
  readonly dialect?: WorkerInput['dialect']
  readonly secret?: string
  readonly timeoutMs?: number
}

/** What a person says of a worker; the rest has its default. */
type WorkerValues = Pick<WorkerInput, 'name' | 'urls'> & Partial<WorkerInput>

export function define(command: Command): void {
  const add = command
    .command('add')
    .description('register a worker, or change one of that name')
    .argument('<name>', 'as topologies call it')
    .argument('<urls...>', 'base URL of each instance')
    .addOption(new Option('--dialect <dialect>', 'how it is spoken to').choices(['native', 'orchesty']))
    .option('--secret <secret>', 'signs calls: @file, or - for stdin')
    .option(
      '--timeout-ms <n>',
      'of its nodes, unless they say so themselves',
      wholeNumber('--timeout-ms', 100, 86_400_000),
    )
    .action(addWorker)
  examples(addOptions(add, 'client'), [
    ['sluice worker add shop http://shop:3000', 'one instance'],
    ['sluice worker add shop http://shop-1:3000 http://shop-2:3000 --secret @secret.txt', 'two, with signed calls'],
  ])
  const refresh = command
    .command('refresh')
    .description("read a worker's manifest again")
    .argument('<name>')
    .action(async (name: string, flags: Flags) => {
      const params = { path: { name } }
      tell(await dataOf(findEngine(flags).POST('/api/workers/{name}/refresh', { params })))
    })
  examples(addOptions(refresh, 'client'), [['sluice worker refresh shop', 'after a deployment with other nodes']])
  const remove = command
    .command('remove')
    .description('forget a worker')
    .argument('<name>')
    .action(async (name: string, flags: Flags) => {
      await findEngine(flags).DELETE('/api/workers/{name}', { params: { path: { name } } })
      console.log(`worker ${name} is removed`)
    })
  examples(addOptions(remove, 'client'), [['sluice worker remove shop', 'refused while a published topology calls it']])
}

async function addWorker(name: string, urls: string[], flags: Flags): Promise<void> {
  const { dialect, secret, timeoutMs } = flags
  const values = {
    name,
    urls,
    ...(dialect && { dialect }),
    ...(secret !== undefined && { secret: textOfFlag(secret).trim() }),
    ...(timeoutMs !== undefined && { timeoutMs }),
  }
  tell(await registerWorker(findEngine(flags), values))
}

function tell({ name, manifest, manifestFaults }: Worker): void {
  const nodes = nodesOf(manifest)
    ?.map((node) => node.name)
    .join(', ')
  console.log(`worker ${name} is registered; ${nodes === undefined ? 'it has no manifest' : `its nodes: ${nodes}`}`)
  for (const { path, message } of manifestFaults) console.error(`its manifest: ${path} is ignored: ${message}`)
}

/** The nodes that a manifest names, as the engine checked it when it was read; null without one. */
export function nodesOf(manifest: Worker['manifest']): { readonly name: string; readonly type: string }[] | undefined {
  return manifest?.['nodes'] as { name: string; type: string }[] | undefined
}

/** Registers a worker under its name, whether or not there is one already; what is left out stays as it is. */
export async function registerWorker(engine: Engine, values: WorkerValues): Promise<Worker> {
  try {
    return await dataOf(engine.POST('/api/workers', { body: { dialect: 'native', ...values } }))
  } catch (error) {
    if (!(error instanceof Conflict)) throw error
  }
  const { name } = values
  const { data: before } = await answerOf(engine.GET('/api/workers/{name}', { params: { path: { name } } }))
  const body = { dialect: before.dialect, ...(before.timeoutMs !== null && { timeoutMs: before.timeoutMs }), ...values }
  return dataOf(engine.PUT('/api/workers/{name}', { params: { path: { name } }, body }))
}
