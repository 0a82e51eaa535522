// Runs the tools of this repository as child processes of the same Node, from the repository's root.
import { spawn } from 'node:child_process'
import { root } from './install.mjs'

/**
 * Runs `node ...args` at the repository's root. Resolves also when it fails.
 * @param {string[]} args script and its arguments
 * @param {{ capture?: boolean, env?: Record<string, string> }} [options] `capture` collects stdout and stderr instead
 *   of passing them through
 * @returns {Promise<{ code: number, output: string }>} exit code (1 when a signal ended it) and what was captured
 */
export function runNode(args, { capture = false, env = {} } = {}) {
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', ...(capture ? ['pipe', 'pipe'] : ['inherit', 'inherit'])],
  })
  const chunks = []
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => chunks.push(chunk))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString('utf8') }))
  })
}
