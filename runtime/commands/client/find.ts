import { resolve } from 'node:path'
import { openEngine } from '../../client/engine.ts'
import type { Engine } from '../../client/engine.ts'
import { readDevState } from '../../embedded/folder.ts'
import { Unavailable } from '../../errors.ts'
import { resolveOptions } from '../../options.ts'

/** By --url and --token, their variables, or the `sluice dev` that runs on the data folder. */
export function findEngine(flags: Readonly<Record<string, unknown>>): Engine {
  const { url, token, data } = resolveOptions('client', { flags })
  const dev = readDevState(resolve(data))
  const sameAsDev = url === undefined || sameOrigin(url, dev?.url)
  if (url !== undefined) return openEngine(url, token ?? (sameAsDev ? dev?.token : undefined))
  if (dev) return openEngine(dev.url, token ?? dev.token)
  throw new Unavailable(
    'engine',
    `no engine is running on ${resolve(data)}: start one with \`sluice dev\`, name its folder with --data (SLUICE_DATA), ` +
      'or name an engine with --url (SLUICE_URL) and --token (SLUICE_TOKEN)',
  )
}

function sameOrigin(url: string, other: string | undefined): boolean {
  return other !== undefined && new URL(url).origin === new URL(other).origin
}
