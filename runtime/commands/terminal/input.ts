/** What a person hands over with a flag: text, `@file`, or `-` for stdin. */
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { Invalid, textOf } from '../../errors.ts'

/** Content of a file, or of stdin for `-`. Throws `Invalid` with the reason when it can't be read. */
export function readInput(file: string): string {
  return readBytes(file).toString('utf8')
}

function readBytes(file: string): Buffer {
  try {
    return readFileSync(file === '-' ? 0 : file)
  } catch (error) {
    throw new Invalid(`${file === '-' ? 'stdin' : file} can't be read: ${textOf(error)}`, [], { cause: error })
  }
}

/** Exact bytes of what a flag names, `@file` or `-`; the text itself otherwise. */
export function bytesOfFlag(value: string): Uint8Array {
  if (value !== '-' && !value.startsWith('@')) return Buffer.from(value)
  return readBytes(value === '-' ? value : value.slice(1))
}

/** `@file`, `-`, or the text itself. */
export function textOfFlag(value: string): string {
  if (value === '-') return readInput('-')
  return value.startsWith('@') ? readInput(value.slice(1)) : value
}

/** The JSON that a flag holds or names. Throws `Invalid` that names the flag and what it was read from. */
export function jsonOfFlag(flag: string, value: string): unknown {
  return jsonTextOfFlag(flag, value).json
}

/** The same with the text that it was: its numbers may have more digits than survive being read. */
export function jsonTextOfFlag(flag: string, value: string): { readonly json: unknown; readonly text: string } {
  const text = textOfFlag(value)
  try {
    return { json: JSON.parse(text) as unknown, text }
  } catch (error) {
    const source = value === '-' ? 'stdin' : value.startsWith('@') ? value.slice(1) : 'what it holds'
    const hint = value === '-' || value.startsWith('@') ? '' : '; a file is named with @file, stdin with -'
    throw new Invalid(`${flag} takes JSON, and ${source} is none (${textOf(error)})${hint}`, [], { cause: error })
  }
}

/** Asks the person at the terminal; only `y` or `yes` is one. */
export async function isConfirmed(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  try {
    return /^y(es)?$/i.test((await terminal.question(question)).trim())
  } finally {
    terminal.close()
  }
}
