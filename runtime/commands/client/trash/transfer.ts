import { createReadStream, createWriteStream, statSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'
import type { Command } from 'commander'
import { dataOf } from '../../../client/answer.ts'
import type { Engine } from '../../../client/engine.ts'
import type { TrashImport } from '../../../client/openapi.d.ts'
import { Invalid, Unavailable, textOf } from '../../../errors.ts'
import { addOptions, examples } from '../../define.ts'
import { isConfirmed } from '../../terminal/input.ts'
import { grouped, plain } from '../../terminal/print.ts'
import { openProgress } from '../../terminal/progress.ts'
import { findEngine } from '../find.ts'
import { addFilter, filterQuery, stateOption, stateQuery } from './filter.ts'
import type { Filter, State } from './filter.ts'
import { openSent, sizeOf } from '../upload/sent.ts'
import { uploadTimeoutMs } from '../upload/upload.ts'

export function defineTransfer(command: Command): void {
  const out = command.command('export').description('write messages with all that is kept of them, as NDJSON')
  out.addOption(stateOption('all'))
  out.option('--file <file>', 'where to; without it to stdout')
  examples(addOptions(addFilter(out).action(exportTrash), 'client'), [
    ['sluice trash export --topology orders --state open --file orders.ndjson', 'what is open, for another engine'],
  ])
  const into = command.command('import').description('take exported messages into Trash, as open ones')
  into.argument('<topology>', 'name or id').argument('<file>', 'as `sluice trash export` writes it; - for stdin')
  examples(addOptions(into.action(importTrash), 'client'), [
    ['sluice trash import orders orders.ndjson', 'what is there already stays as it is'],
  ])
  const erase = command.command('erase').description('delete what Trash and ended runs hold of a tenant')
  erase.requiredOption('--tenant <tenant>', 'whose').option('--topology <topology>', 'name or id; without it of all')
  erase.option('--yes', "don't ask")
  examples(addOptions(erase.action(eraseTrash), 'client'), [
    ['sluice trash erase --tenant ann --yes', 'every message with all its versions, for good'],
  ])
}

type ExportFlags = Filter & { state: State; file?: string }

/** Under another name until it is whole. */
async function exportTrash(flags: ExportFlags): Promise<void> {
  const engine = findEngine(flags)
  const { state, file } = flags
  const query = { ...filterQuery(flags), ...stateQuery(state) }
  const stream = await dataOf(engine.GET('/api/trash/export', { params: { query }, parseAs: 'stream' }))
  const lines = Readable.fromWeb(stream as unknown as ReadableStream)
  try {
    if (file === undefined) return await pipeline(lines, process.stdout, { end: false })
    await pipeline(lines, createWriteStream(`${file}.part`))
    await rename(`${file}.part`, file)
    console.log(`${file}: ${grouped(statSync(file).size)} bytes`)
  } catch (error) {
    if (file !== undefined) await rm(`${file}.part`, { force: true })
    throw new Unavailable('engine', `the export broke off (${textOf(error)}): try again`, { cause: error })
  }
}

async function importTrash(topology: string, file: string, flags: Record<string, unknown>): Promise<void> {
  if (file !== '-') sizeOf(file)
  const engine = findEngine(flags, uploadTimeoutMs)
  const { runId, imported, known, settled, faults, errors } = await sendLines(engine, topology, file)
  for (const { line, path, message } of errors) console.error(plain(`${file}:${line}: ${path} ${message}`))
  if (faults > errors.length) console.error(`… and ${grouped(faults - errors.length)} more`)
  console.log(
    `${grouped(imported)} imported${runId === null ? '' : ` in run ${runId}`}, ${counts({ known, settled, faults })}`,
  )
  if (faults > 0) process.exitCode = 1
}

async function sendLines(engine: Engine, topology: string, file: string): Promise<TrashImport> {
  const sent = openSent(file)
  const source = file === '-' ? process.stdin : createReadStream(file)
  const body = Readable.toWeb(Readable.from(sent.counting(source), { objectMode: false }))
  try {
    return await dataOf(
      engine.POST('/api/trash/import', {
        params: { query: { topology } },
        headers: { 'content-type': 'application/x-ndjson' },
        // The types know of texts only.
        body: body as unknown as string,
        bodySerializer: () => body,
        duplex: 'half',
      }),
    )
  } catch (error) {
    if (!(error instanceof Unavailable) || file === '-') throw error
    const hint = 'import the same file again, what is there already stays as it is'
    throw new Unavailable('engine', `${textOf(error)}; ${hint}`, { cause: error })
  } finally {
    sent.end()
    if (file !== '-') source.destroy()
  }
}

function counts({ known, settled, faults }: { known: number; settled: number; faults: number }): string {
  return `${grouped(known)} were there, ${grouped(settled)} are settled, ${grouped(faults)} can't be read`
}

type EraseFlags = Record<string, unknown> & { tenant: string; topology?: string; yes?: boolean }

async function eraseTrash(flags: EraseFlags): Promise<void> {
  const { tenant, topology, yes } = flags
  const what = `this deletes what Trash and ended runs hold of "${tenant}" for good`
  const isSure = yes === true || (process.stdin.isTTY && (await isConfirmed(`${what}. Go on? [y/N] `)))
  if (!isSure) throw new Invalid(`${what}: say --yes`)
  const engine = findEngine(flags, 120_000)
  const body = { tenant, ...(topology !== undefined && { topology }) }
  const all = { erased: 0, starts: 0 }
  const progress = openProgress(process.stderr)
  for (;;) {
    const { erased, starts, runsLeft, isDone } = await dataOf(engine.POST('/api/trash/erase', { body }))
    all.erased += erased
    all.starts += starts
    if (!isDone) {
      progress.show(`${grouped(all.erased)} messages and ${grouped(all.starts)} start messages so far`)
      continue
    }
    console.log(`${grouped(all.erased)} messages and ${grouped(all.starts)} start messages are erased`)
    if (runsLeft > 0) console.log(`${grouped(runsLeft)} runs of it still go on: erase again when they have ended`)
    return
  }
}
