import { Option } from 'commander'
import type { Command } from 'commander'
import { Invalid } from '../errors.ts'
import { optionsOf, optionTable } from '../options.ts'
import type { OptionName, Role } from '../options.ts'

/** Adds the flags of a role's options, with their variables and defaults in the help; secrets have no flag. */
export function addOptions(command: Command, role: Role, except: readonly OptionName[] = []): Command {
  const taken = (optionsOf[role] as readonly OptionName[]).filter((name) => !except.includes(name))
  for (const row of optionTable.filter(({ name }) => taken.includes(name))) {
    const notes = [row.variable, ...(row.default === undefined ? [] : [`default ${row.default}`])].join(', ')
    if (row.flag !== null) command.addOption(new Option(row.flag, `${row.says} (${notes})`))
  }
  const secrets = optionTable.filter(({ name, flag }) => taken.includes(name) && flag === null)
  if (secrets.length === 0) return command
  const lines = secrets.map(({ variable, says }) => `  ${variable}  ${says}`)
  return command.addHelpText('after', `\nOnly from the environment:\n${lines.join('\n')}`)
}

/** For commander: reads a whole number of a flag that has no variable. */
export function wholeNumber(flag: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN
    if (value >= min && value <= max) return value
    throw new Invalid(`${flag} takes a whole number from ${min} to ${max}; found "${text}"`)
  }
}

/** For commander: the same with a fraction, such as 0.5. */
export function decimalNumber(flag: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}(\.\d{1,15})?$/.test(text) ? Number(text) : NaN
    if (value >= min && value <= max) return value
    throw new Invalid(`${flag} takes a number from ${min} to ${max}; found "${text}"`)
  }
}

/** For commander: gathers a flag that may be given several times. */
export function gather(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value]
}

/** Shows in the help how a command is called, and what for. */
export function examples(command: Command, calls: readonly (readonly [call: string, what: string])[]): Command {
  const lines = calls.map(([call, what]) => `  ${call}\n      ${what}`)
  return command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`)
}

/** For commander: reads a moment, `2026-01-01T00:00:00Z` or how long ago it is, such as `2h`. */
export function moment(flag: string): (text: string) => string {
  return (text) => {
    const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
    if (count !== undefined) return new Date(Date.now() - Number(count) * (unitsMs[unit ?? 's'] ?? 0)).toISOString()
    if (/^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(Date.parse(text))) return new Date(text).toISOString()
    throw new Invalid(`${flag} takes a time such as 2026-01-01T00:00:00Z, or how long ago, such as 2h; found "${text}"`)
  }
}

/** For commander: reads how long something may take, such as `90s`, in ms. */
export function duration(flag: string): (text: string) => number {
  return (text) => {
    const [, count, unit = 's'] = /^(\d{1,6})([smhd]?)$/.exec(text) ?? []
    if (count !== undefined) return Number(count) * (unitsMs[unit || 's'] ?? 0)
    throw new Invalid(`${flag} takes a time such as 90s or 5m; found "${text}"`)
  }
}

const unitsMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
