import { Option } from 'commander'
import type { Command } from 'commander'
import { dataOf } from '../../../client/answer.ts'
import type { Engine } from '../../../client/engine.ts'
import type { FlowPayload } from '../../../client/openapi.d.ts'
import { Invalid, textOf } from '../../../errors.ts'
import { addOptions, examples } from '../../define.ts'
import { readInput } from '../../terminal/input.ts'
import { plain } from '../../terminal/print.ts'
import { findEngine } from '../find.ts'

type Editor = 'bpmn' | 'flow'
interface Flags extends Record<string, unknown> {
  readonly format?: Editor
  readonly dryRun?: boolean
}

const editors = ['bpmn', 'flow'] as const satisfies Editor[]

/** `import` and `export` of documents of the older editors, by the command's name. */
export function define(command: Command): void {
  command.argument('<topology>', 'name or id')
  if (command.name() === 'import') return defineImport(command)
  command
    .addOption(
      new Option('--format <format>', 'bpmn: XML; flow: JSON of the flow editor').choices(editors).default('bpmn'),
    )
    .action(exportDrawing)
  examples(addOptions(command, 'client'), [
    ['sluice export orders --format bpmn > orders.bpmn', 'the draft, with its layout'],
  ])
}

function defineImport(command: Command): void {
  command
    .argument('<file>', 'a document of the BPMN editor or of the flow editor; - for stdin')
    .addOption(new Option('--format <format>', 'by default what the content looks like').choices(editors))
    .option('--dry-run', 'only say what has no counterpart')
    .action(importDrawing)
  examples(addOptions(command, 'client'), [
    ['sluice import orders orders.bpmn', 'replaces the draft; says what has no counterpart'],
  ])
}

async function exportDrawing(topology: string, flags: Flags): Promise<void> {
  const engine = findEngine(flags)
  const params = { path: { topology } }
  if (flags.format === 'flow') {
    const flow = await dataOf(engine.GET('/api/topologies/{topology}/schema.json', { params }))
    return console.log(JSON.stringify(flow, null, 2))
  }
  console.log(
    (await dataOf(engine.GET('/api/topologies/{topology}/schema.bpmn', { params, parseAs: 'text' }))).trimEnd(),
  )
}

async function importDrawing(topology: string, file: string, flags: Flags): Promise<void> {
  const text = readInput(file)
  const format = flags.format ?? (text.trimStart().startsWith('<') ? 'bpmn' : 'flow')
  const send = format === 'bpmn' ? bpmnOf(text) : flowOf(file, text)
  const { dryRun = false } = flags
  const { name, warnings } = await send(findEngine(flags), topology, dryRun)
  console.log(
    `${name}: the draft ${dryRun ? 'would be' : 'is'} replaced${warnings.length === 0 ? '' : `, with ${warnings.length} warnings`}`,
  )
  for (const { path, message } of warnings) console.error(plain(`  ${path}: ${message}`))
}

const queryOf = (isDry: boolean) => ({ dryRun: isDry ? 'true' : 'false' }) as const

const bpmnOf = (text: string) => (engine: Engine, topology: string, isDry: boolean) =>
  dataOf(
    engine.PUT('/api/topologies/{topology}/schema.bpmn', {
      params: { path: { topology }, query: queryOf(isDry) },
      headers: { 'content-type': 'application/xml' },
      body: text,
      bodySerializer: () => text,
    }),
  )

function flowOf(file: string, text: string) {
  const body = jsonOf(file, text)
  return (engine: Engine, topology: string, isDry: boolean) => {
    const params = { path: { topology }, query: queryOf(isDry) }
    return dataOf(engine.PUT('/api/topologies/{topology}/schema.json', { params, body }))
  }
}

function jsonOf(file: string, text: string): FlowPayload {
  try {
    return JSON.parse(text) as FlowPayload
  } catch (error) {
    const text = `${file === '-' ? 'stdin' : file} is neither XML nor JSON (${textOf(error)})`
    throw new Invalid(text, [], { cause: error })
  }
}
