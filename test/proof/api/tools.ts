import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Where the engine keeps what it fetches. */
const cacheDir = process.env.SLUICE_CACHE ?? join(homedir(), '.cache', 'sluiceway')
const maxBuffer = 64 * 1024 * 1024

/** What a tool said and how it ended; never throws for a tool that fails. */
export async function toolRun(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: Readonly<Record<string, string>>; timeoutMs?: number } = {},
): Promise<{ code: number; output: string }> {
  const { cwd, env = {}, timeoutMs = 9 * 60_000 } = options
  try {
    const { stdout, stderr } = await run(command, [...args], {
      cwd,
      env: { ...process.env, ...env },
      timeout: timeoutMs,
      maxBuffer,
    })
    return { code: 0, output: stdout + stderr }
  } catch (error) {
    const {
      code,
      stdout = '',
      stderr = '',
      message,
    } = error as Error & {
      code?: number | string
      stdout?: string
      stderr?: string
    }
    return { code: typeof code === 'number' ? code : 1, output: `${stdout}${stderr}` || message }
  }
}

/** Throws with everything that the tool said, unless it went well. */
export async function toolOutput(...call: Parameters<typeof toolRun>): Promise<string> {
  const { code, output } = await toolRun(...call)
  if (code !== 0) throw new Error(`${call[0]} ${call[1].join(' ')} ended with ${code}:\n${output}`)
  return output
}

/** One line on why these tests can't run here; null: they can. */
export async function lacksPython(): Promise<string | null> {
  const { code } = await toolRun('python3', ['-c', 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))'])
  return code === 0 ? null : 'python3 3.11 or newer with venv and pip is not here'
}

/** One line on why these tests can't run here; null: they can. */
export async function lacksGo(): Promise<string | null> {
  return (await toolRun('go', ['version'])).code === 0 ? null : 'go is not here'
}

/**
 * A virtual environment with exactly these requirements, each checked by its hash. It is made once for each version of the file
 * and kept in the cache. Returns its folder of programs.
 */
export async function pythonTools(requirements: URL): Promise<string> {
  const digest = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12)
  const target = join(cacheDir, `python-${digest}`)
  if (existsSync(join(target, 'made'))) return join(target, 'made', 'bin')
  mkdirSync(target, { recursive: true, mode: 0o700 })
  // A virtual environment names its own folder, so it can't be made elsewhere and moved: the folder's name is moved to it.
  const folder = mkdtempSync(join(target, 'env-'))
  try {
    await toolOutput('python3', ['-m', 'venv', folder])
    const how = ['-m', 'pip', 'install', '--quiet', '--no-input', '--disable-pip-version-check']
    await toolOutput(join(folder, 'bin', 'python'), [...how, '--require-hashes', '-r', requirements.pathname])
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
  const link = mkdtempSync(join(target, 'link-'))
  symlinkSync(folder, join(link, 'made'))
  renameSync(join(link, 'made'), join(target, 'made'))
  rmSync(link, { recursive: true })
  return join(target, 'made', 'bin')
}
