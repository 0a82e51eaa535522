/** Output for people (tables) and for programs (JSON), on stdout. */
import { Option } from 'commander'
import type { Command } from 'commander'
import { Invalid, textOf } from '../../errors.ts'
import { yamlOf } from '../../topology/yaml.ts'

export type Format = 'json' | 'yaml' | 'table'

/** Adds `-o json|yaml|table`. */
export function addFormat(command: Command): Command {
  return command.addOption(
    new Option('-o, --output <format>', 'how to print').choices(['json', 'yaml', 'table']).default('table'),
  )
}

/** A column of a table: its heading, and the text of a cell. */
export type Column<T> = readonly [heading: string, cell: (row: T) => unknown]

export function printList<T>(rows: readonly T[], columns: readonly Column<T>[], format: Format): void {
  if (format !== 'table') return printData(rows, format)
  console.log(rows.length === 0 ? 'none' : tableOf(rows, columns))
}

/** For programs. */
export function printData(value: unknown, format: 'json' | 'yaml'): void {
  if (format === 'json') console.log(JSON.stringify(value, null, 2))
  else process.stdout.write(yamlOf(value))
}

/** What a thing is, a line for each of its values. */
export function printRecord(values: Readonly<Record<string, unknown>>): void {
  const width = Math.max(...Object.keys(values).map((key) => key.length), 0)
  for (const [key, value] of Object.entries(values)) console.log(`${key.padEnd(width)}  ${plain(value)}`)
}

/** Says on stderr what went wrong, a line for each fault of it, and that the command failed. */
function complain(error: unknown): void {
  const faults = error instanceof Invalid ? error.errors : []
  const lines = faults.map(({ path, message }) => `  ${path && `${path}: `}${message}`)
  console.error([textOf(error), ...lines].join('\n'))
  process.exitCode = error instanceof Invalid && process.exitCode !== 1 ? 2 : 1
}

/** Goes on after one that fails, which is said at once; returns what went well. */
export async function forEach<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const done: R[] = []
  for (const item of items) {
    try {
      done.push(await work(item))
    } catch (error) {
      complain(error)
    }
  }
  return done
}

function tableOf<T>(rows: readonly T[], columns: readonly Column<T>[]): string {
  const lines = [columns.map(([heading]) => heading), ...rows.map((row) => columns.map(([, cell]) => plain(cell(row))))]
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => line[index]?.length ?? 0)))
  return lines
    .map((line) =>
      line
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** In one line, and without what would steer a terminal: texts come from workers and their data. */
export function plain(value: unknown): string {
  if (value === null || value === undefined) return '-'
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  // eslint-disable-next-line no-control-regex -- these are what it takes out
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')
}

/** 135 233 */
export function grouped(number: number): string {
  return String(Math.round(number)).replace(/\B(?=(\d{3})+$)/g, ' ')
}
