import { existsSync } from 'node:fs'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { Invalid } from '../errors.ts'
import { examples } from './define.ts'
import { projectFiles, type Project } from './init/templates.ts'
import { version } from './version.ts'

export interface InitOptions {
  /** Name of the project, its worker and its topology; default: the folder's. */
  readonly name?: string | undefined
  /** Told what to do next, line by line. */
  readonly log?: ((line: string) => void) | undefined
}

export function define(command: Command): void {
  command
    .argument('<dir>', 'a new or empty folder')
    .option('--name <name>', "of the project, its worker and its topology; by default the folder's")
    .action((dir: string, { name }: { name?: string }) => init(dir, { name, log: (line) => console.log(line) }))
  examples(command, [['sluice init shop', 'a project in a new folder; then npm install, npm start']])
}

const namePattern = /^[a-z0-9-]{1,63}$/

/**
 * Makes a project: a worker with two nodes, a topology, a README and a package.json whose `npm start` runs it all.
 * `dir` is made if need be. Throws `Invalid` when it isn't an empty folder, or when the name can't be one.
 */
export async function init(dir: string, { name, log = () => {} }: InitOptions = {}): Promise<void> {
  const folder = resolve(dir)
  const chosen = name ?? basename(folder)
  if (!namePattern.test(chosen)) {
    throw new Invalid(
      `"${chosen}" can't be a project's name: use a-z, 0-9 and -, at most 63, or give another with --name`,
    )
  }
  await checkEmpty(folder)
  await mkdir(folder, { recursive: true })
  const files = projectFiles({ name: chosen, ...origin() })
  // `wx`, so that nothing is ever overwritten, whoever writes at the same time.
  for (const [file, content] of Object.entries(files)) await writeFile(join(folder, file), content, { flag: 'wx' })
  log(`Made ${chosen} in ${folder}. Next:`)
  log(`  cd ${shortest(folder)} && npm install && npm start`)
}

async function checkEmpty(folder: string): Promise<void> {
  try {
    const found = await readdir(folder)
    if (found.length > 0) throw new Invalid(`${folder} is not empty: choose a new folder`)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return
    if (code === 'ENOTDIR') throw new Invalid(`${folder} is a file: choose a new folder`)
    throw error
  }
}

function shortest(folder: string): string {
  const path = relative(process.cwd(), folder)
  return path.startsWith('..') ? folder : path || '.'
}

/** Where the project gets the engine and the SDK from: this checkout, or the registry when this is a package. */
function origin(): Omit<Project, 'name'> {
  const root = packageRoot()
  const sdk = join(root, 'workers/sdk')
  if (!existsSync(join(sdk, 'src'))) {
    const range = `^${version()}`
    return { sluice: 'sluice', dependencies: { '@sluiceway/worker': range, sluiceway: range }, allowScripts: {} }
  }
  // The checkout's sources, so that it needs no build.
  const sluice = `node --import "${import.meta.resolve('tsx')}" --conditions=source "${join(root, 'runtime/main.ts')}"`
  const dependencies = { '@sluiceway/worker': `file:${sdk}`, sluiceway: `file:${root}` }
  // The checkout has been prepared by its own installation.
  return { sluice, dependencies, allowScripts: { [`file:${root}`]: false } }
}

/** The folder of the engine's package.json: above runtime/ in a checkout, above dist/runtime/ when built. */
function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  return folder
}
