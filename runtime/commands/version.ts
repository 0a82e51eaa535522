import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Version of the engine, from its package.json. */
export function version(): string {
  return (JSON.parse(readFileSync(join(installation(), 'package.json'), 'utf8')) as { version: string }).version
}

/** Where `npm run build` puts the console. */
export function consoleFolder(): string {
  return join(installation(), 'dist', 'console')
}

/** The folder with the engine's package.json: beside runtime/ in a checkout, one level further up from dist/. */
function installation(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder
  }
  throw new Error('no package.json above the engine: the installation is incomplete')
}
