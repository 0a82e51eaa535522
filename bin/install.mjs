// Plain JavaScript with nothing but Node: it has to run in a fresh clone, before anything is installed.
import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * Makes node_modules match package-lock.json: runs `npm ci` when packages are missing or of another version, else does
 * nothing (about 20 ms). npm's own output goes to stderr, so a caller's stdout stays its own.
 * Throws an Error with a one-line message when npm fails.
 * @returns {Promise<boolean>} whether something was installed
 */
export async function ensureInstalled() {
  const reason = await whyInstall()
  if (!reason) return false
  process.stderr.write(`Installing packages (npm ci): ${reason}\n`)
  await npmCi()
  return true
}

/**
 * Says what in node_modules differs from package-lock.json, or undefined when nothing does. npm writes its own record
 * (node_modules/.package-lock.json) last, so an interrupted installation has none.
 */
async function whyInstall() {
  const locked = await readPackages('package-lock.json')
  if (!locked) throw new Error(`package-lock.json is missing in ${root}: run this from a complete checkout`)
  const installed = await readPackages('node_modules/.package-lock.json')
  if (!installed) return 'node_modules is missing or incomplete'
  for (const [path, { version, ...kind }] of Object.entries(locked)) {
    if (path === '') continue
    const found = installed[path]
    if (!found && !mayBeMissing(kind)) return `${path} is missing`
    if (found && found.version !== version) return `${path} is ${found.version}, not ${version}`
  }
  return undefined
}

/** npm leaves out what another platform needs, peers that nobody provides, and entries that nothing asks for any more. */
function mayBeMissing({ optional, devOptional, peer, extraneous }) {
  return Boolean(optional || devOptional || peer || extraneous)
}

/** The `packages` of a lock file, or undefined when there is no such file. */
async function readPackages(file) {
  try {
    return JSON.parse(await readFile(join(root, file), 'utf8')).packages
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw new Error(`${file} can't be read (${error.message}): restore it from git, or remove node_modules`, {
      cause: error,
    })
  }
}

/** Runs `npm ci`, by the npm that runs us if there is one. */
function npmCi() {
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error']
  const npm = process.env.npm_execpath
  const byNode = npm !== undefined && /npm-cli\.[cm]?js$/.test(npm)
  const options = { cwd: root, stdio: ['ignore', 2, 2] }
  const child = byNode
    ? spawn(process.execPath, [npm, ...args], options)
    : spawn('npm', args, { ...options, shell: process.platform === 'win32' })
  return new Promise((resolve, reject) => {
    child.once('error', (error) =>
      reject(new Error(`npm can't be started (${error.message}): install npm 10 or later`)),
    )
    child.once('exit', (code, signal) => {
      if (code === 0) resolve(undefined)
      else reject(new Error(`npm ci failed (${signal ?? `exit code ${code}`}): see its messages above`))
    })
  })
}
