import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Invalid, Unavailable, textOf } from '../../errors.ts'
import { editorCommand } from '../../options.ts'
import type { TrashMessage } from '../../client/openapi.d.ts'

/**
 * Opens the newest body of a message in the person's editor ($VISUAL, $EDITOR, else vi) and returns the JSON that was
 * saved, or undefined when nothing was changed. Throws `Invalid` for what isn't JSON.
 */
export async function editInEditor(item: TrashMessage): Promise<unknown> {
  if (!process.stdin.isTTY || !process.stdout.isTTY)
    throw new Invalid('there is no terminal for an editor here: give the new body with --body JSON, @file or -')
  const newest = item.versions.at(-1) ?? item
  if (newest.body === undefined)
    throw new Invalid('this body is no text that an editor can show: give the new one with --body @file')
  const folder = mkdtempSync(join(tmpdir(), 'sluice-edit-'))
  const file = join(folder, `${item.id}.json`)
  const before = JSON.stringify(newest.body, null, 2) + '\n'
  try {
    writeFileSync(file, before, { mode: 0o600 })
    await runEditor(editorCommand(), file)
    const after = readFileSync(file, 'utf8')
    return after === before ? undefined : parse(after)
  } finally {
    rmSync(folder, { recursive: true, force: true })
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
