import type { Command } from 'commander'
import { dataOf } from '../../../client/answer.ts'
import { addOptions, examples } from '../../define.ts'
import { findEngine } from '../find.ts'
import { followRun } from '../run.ts'

interface Flags extends Record<string, unknown> {
  readonly key?: string
  readonly follow?: boolean
}

export function define(command: Command): void {
  command
    .argument('<run>', 'id of the run')
    .argument('[node]', 'name or id of the node at which it begins, with what entered that node; default: at its start')
    .option('--key <key>', 'equal keys make one rerun only')
    .option('--follow', 'wait until the new run has ended; exit code 1 unless it finished well')
    .action(rerun)
  examples(addOptions(command, 'client'), [
    ['sluice rerun 01K2X… --follow', 'the same start message, and see how it goes'],
    ['sluice rerun 01K2X… store', 'only from the node store on, while the queues keep what entered it'],
  ])
}

async function rerun(run: string, node: string | undefined, flags: Flags): Promise<void> {
  const engine = findEngine(flags)
  const header = flags.key === undefined ? {} : { 'idempotency-key': flags.key }
  const { runId } = await dataOf(
    engine.POST('/api/runs/{id}/rerun', {
      params: { path: { id: run }, header },
      body: node === undefined ? {} : { node },
    }),
  )
  console.log(runId)
  if (flags.follow === true && (await followRun(engine, runId)).state !== 'finished') process.exitCode = 1
}
