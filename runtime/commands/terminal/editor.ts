import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Invalid, Unavailable, textOf } from '../../errors.ts'
import { editorCommand } from '../../options.ts'
import type { ExactMessage, TrashEdit } from '../../client/openapi.d.ts'
import { inexactNumber } from '../../protocol/patch/exact.ts'

/**
 * Opens a body in the person's editor ($VISUAL, $EDITOR, else vi) and returns what was saved, or null when nothing was changed. Throws
 * `Invalid` for a body of JSON that isn't JSON any more.
 */
export async function editInEditor(id: string, message: ExactMessage): Promise<TrashEdit | null> {
  if (!process.stdin.isTTY || !process.stdout.isTTY)
    throw new Invalid('there is no terminal for an editor here: give the new body with --body JSON, @file or -')
  const before = shownText(message)
  const folder = mkdtempSync(join(tmpdir(), 'sluice-edit-'))
  const file = join(folder, `${id}.${isJsonType(message.contentType) ? 'json' : 'txt'}`)
  try {
    writeFileSync(file, before, { mode: 0o600 })
    await runEditor(editorCommand(), file)
    return savedEdit(message, before, readFileSync(file, 'utf8'))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export const isJsonType = (contentType: string): boolean => /^application\/([\w.+-]+\+)?json\s*(;|$)/i.test(contentType)

type Bytes = Pick<ExactMessage, 'contentType' | 'bodyBase64'>

/** What an editor shows. Throws `Invalid` for what is no text. */
export function shownText(message: Bytes): string {
  const text = bodyTextOf(message)
  if (text !== null) return text
  throw new Invalid('this body is no text that an editor can show: give the new one with --body @file')
}

/** JSON with its lines indented, unless it has numbers that would not survive it; anything else as it is. Null: it is no text. */
export function bodyTextOf({ contentType, bodyBase64 }: Bytes): string | null {
  const text = decoded(Buffer.from(bodyBase64, 'base64'))
  if (text === null || !isJsonType(contentType) || inexactNumber(text) !== null) return text
  try {
    return `${JSON.stringify(JSON.parse(text), null, 2)}\n`
  } catch {
    // It says that it is JSON and isn't: that may be what is to be mended.
    return text
  }
}

/** Null when it is as it was before. */
export function savedEdit(
  { contentType }: Pick<ExactMessage, 'contentType'>,
  before: string,
  saved: string,
): TrashEdit | null {
  // Editors end the last line, whether it was or not.
  const after = before.endsWith('\n') ? saved : saved.replace(/\r?\n$/, '')
  if (after === before || saved === before) return null
  const exact = (text: string) => ({ bodyBase64: Buffer.from(text).toString('base64') })
  if (!isJsonType(contentType)) return exact(after)
  const body = parse(after)
  return inexactNumber(after) === null ? { body } : exact(after.trim())
}

/** With its byte order mark, if it has one. */
function decoded(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return null
  }
}

/** The variable may hold arguments, such as `code --wait`: so a shell reads it, as git does. */
async function runEditor(command: string, file: string): Promise<void> {
  const child = spawn(`${command} "${file}"`, { stdio: 'inherit', shell: true })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) throw new Unavailable('editor', `the editor "${command}" failed: set $EDITOR, or give --body @file`)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    throw new Invalid(`what was saved is not JSON (${textOf(error)}): nothing was changed`, [], { cause: error })
  }
}
