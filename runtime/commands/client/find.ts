import { resolve } from 'node:path'
import { dataOf } from '../../client/answer.ts'
import { openEngine } from '../../client/engine.ts'
import type { Engine } from '../../client/engine.ts'
import type { Node } from '../../client/openapi.d.ts'
import { readDevState } from '../../embedded/folder.ts'
import { Invalid, NotFound, Unavailable } from '../../errors.ts'
import { resolveOptions } from '../../options.ts'
import { didYouMean } from '../../topology/suggest.ts'

const names = { url: '--url (SLUICE_URL)', token: '--token (SLUICE_TOKEN)' }
/** Among more names a suggestion isn't worth the wait. */
const namesMax = 2_000

/**
 * By --url and --token, their variables, or the `sluice dev` that runs on the data folder. A topology that isn't there is an error
 * that names one that is nearly called so.
 */
export function findEngine(flags: Readonly<Record<string, unknown>>, timeoutMs?: number): Engine {
  const engine = openEngine({ ...addressOf(flags), names, timeoutMs })
  engine.use({
    async onResponse({ response, params }) {
      const wanted = params.path?.['topology']
      if (response.status !== 404 || typeof wanted !== 'string') return
      const known = await topologyNames(engine)
      const hint = known === null ? '' : didYouMean(wanted, known)
      if (hint !== '' && known?.includes(wanted) === false)
        throw new NotFound(`there is no topology "${wanted}"${hint}`)
    },
  })
  return engine
}

export function addressOf(flags: Readonly<Record<string, unknown>>): { url: string; token: string | undefined } {
  const { url, token, data } = resolveOptions('client', { flags })
  const dev = readDevState(resolve(data))
  const sameAsDev = url === undefined || sameOrigin(url, dev?.url)
  if (url !== undefined) return { url, token: token ?? (sameAsDev ? dev?.token : undefined) }
  if (dev) return { url: dev.url, token: token ?? dev.token }
  throw new Unavailable(
    'engine',
    `no engine is running on ${resolve(data)}: start one with \`sluice dev\`, name its folder with --data (SLUICE_DATA), ` +
      'or name an engine with --url (SLUICE_URL) and --token (SLUICE_TOKEN)',
  )
}

/** Null for a token that may not see them. */
async function topologyNames(engine: Engine): Promise<string[] | null> {
  try {
    return (await engine.list('/api/topologies', {}, namesMax)).map(({ name }) => name)
  } catch (error) {
    if (error instanceof Unavailable) return null
    throw error
  }
}

function sameOrigin(url: string, other: string | undefined): boolean {
  return other !== undefined && new URL(url).origin === new URL(other).origin
}

/** Parts of `TOPOLOGY` or `TOPOLOGY/NODE`; throws `Invalid` for what is neither. */
export function placeOf(what: string): { topology: string; node: string | null } {
  const [topology = '', node = null, ...rest] = what.split('/')
  if (topology === '' || node === '' || rest.length > 0)
    throw new Invalid(`"${what}" is no place: say TOPOLOGY or TOPOLOGY/NODE`)
  return { topology, node }
}

/** For a list that came out empty: throws `NotFound` when what it was narrowed to isn't there at all. */
export async function checkPlace(
  engine: Engine,
  { topology, run }: { topology?: string; run?: string },
): Promise<void> {
  if (topology !== undefined) await engine.GET('/api/topologies/{topology}', { params: { path: { topology } } })
  if (run !== undefined) await engine.GET('/api/runs/{id}', { params: { path: { id: run } } })
}

/** A node of a topology by its name or id. Throws `NotFound` with a suggestion. */
export async function findNode(engine: Engine, topology: string, node: string): Promise<Node> {
  const { items } = await dataOf(engine.GET('/api/topologies/{topology}/nodes', { params: { path: { topology } } }))
  const found = items.find(({ id, name }) => name === node || id === node)
  if (found) return found
  const hint = didYouMean(
    node,
    items.map(({ name }) => name),
  )
  throw new NotFound(`the topology "${topology}" has no node "${node}"${hint}`)
}
