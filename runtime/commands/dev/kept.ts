import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { readIfThere, writeSecret } from '../../embedded/folder.ts'

/** The given secret, else the one that the data folder keeps under that name; made the first time. */
export function keptSecret(folder: string, name: 'admin-token' | 'secret-key', given: string | undefined): string {
  if (given !== undefined) return given
  const file = join(folder, name)
  const kept = readIfThere(file)?.trim()
  if (kept) return kept
  const made = randomBytes(24).toString('base64url')
  writeSecret(file, `${made}\n`)
  return made
}
