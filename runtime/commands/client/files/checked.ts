import type { Engine } from '../../../client/engine.ts'
import { statusOf } from '../../../client/problem.ts'
import { Invalid, Unavailable } from '../../../errors.ts'
import type { Fault } from '../../../errors.ts'
import { checkDocument, checkDraft } from '../../../topology/check.ts'
import type { Known } from '../../../topology/check.ts'
import { costFaults } from '../../../topology/limits/costs.ts'
import type { Costing } from '../../../topology/limits/costs.ts'
import { findEngine } from '../find.ts'
import { nodesOf } from '../worker.ts'
import { readSources } from './documents.ts'
import type { Found } from './documents.ts'

interface Flags extends Record<string, unknown> {
  readonly file: readonly string[]
  readonly publish?: boolean
}

/**
 * Every document of the files, and the engine that takes them. Throws one `Invalid` with all faults of all files for which the engine
 * would refuse one: as a draft, and with `publish` also as what is to run.
 */
export async function readChecked(flags: Flags): Promise<{ engine: Engine; found: Found[] }> {
  const { found, faults } = readSources(flags.file)
  const beyond = found.flatMap((one) => placed(one, checkDraft(one.document)))
  if (flags.publish !== true) {
    refuse([...faults, ...beyond])
    return { engine: findEngine(flags), found }
  }
  try {
    const engine = findEngine(flags)
    const known = await knownBy(engine, found)
    const faultsIn = ({ document }: Found) => [...checkDocument(document, known), ...costFaults(document, known)]
    refuse([...faults, ...found.flatMap((one) => placed(one, faultsIn(one)))])
    return { engine, found }
  } catch (error) {
    // Faults of the files are faults without an engine, too.
    if (error instanceof Unavailable) refuse([...faults, ...beyond])
    throw error
  }
}

/** Throws one `Invalid` with all of them, if there are any. */
export function refuse(faults: readonly Fault[]): void {
  const [first, ...more] = faults
  if (first?.path === '' && more.length === 0) throw new Invalid(first.message)
  if (first) throw new Invalid('the topology documents are wrong; nothing was changed', faults)
}

/** With file and line in front. */
export function placed({ placeOf }: Found, faults: readonly Fault[]): Fault[] {
  return faults.map(({ path, message }) => ({ path, message: `${placeOf(path)}: ${message}` }))
}

/**
 * A token that is good for one topology sees no workers and no services: then any is taken here, and the engine says it at the publish, as it
 * does of services that workers name.
 */
async function knownBy(engine: Engine, found: readonly Found[]): Promise<Known & Costing> {
  try {
    const [workers, services] = await Promise.all([engine.list('/api/workers'), engine.list('/api/services')])
    return {
      workers: new Map(workers.map(({ name, manifest }) => [name, known(nodesOf(manifest))])),
      services: new Set(services.map(({ name }) => name)),
      defaultService: () => null,
      limitsOf: (service) => services.find(({ name }) => name === service)?.limits,
    }
  } catch (error) {
    if (statusOf(error) !== 403) throw error
    const named = found.flatMap(({ document }) => document.nodes.flatMap(({ worker }) => worker ?? []))
    const workers = new Map(named.map((name) => [name, null]))
    return { workers, defaultService: () => null, limitsOf: () => undefined }
  }
}

const known = (nodes: ReturnType<typeof nodesOf>) => (nodes === undefined ? null : { nodes })
