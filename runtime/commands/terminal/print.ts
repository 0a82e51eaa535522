/** Output for people (tables) and for programs (JSON), on stdout. */
import { Option } from 'commander'
import type { Command } from 'commander'

export type Format = 'json' | 'table'

/** Adds `-o json|table`. */
export function addFormat(command: Command): Command {
  return command.addOption(
    new Option('-o, --output <format>', 'how to print').choices(['json', 'table']).default('table'),
  )
}

/** A column of a table: its heading, and the text of a cell. */
export type Column<T> = readonly [heading: string, cell: (row: T) => unknown]

export function printList<T>(rows: readonly T[], columns: readonly Column<T>[], format: Format): void {
  if (format === 'json') return printJson(rows)
  console.log(rows.length === 0 ? 'none' : tableOf(rows, columns))
}

export function printJson(value: unknown): void {
  console.log(JSON.stringify(value, null, 2))
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
