import { Option } from 'commander'
import type { Command } from 'commander'
import { stringify } from 'yaml'
import { Conflict, Invalid, NotFound, Unavailable, textOf } from '../../errors.ts'
import type { Fault } from '../../errors.ts'
import { checkDocument, checkNames } from '../../topology/check.ts'
import type { Known } from '../../topology/check.ts'
import { readDocument } from '../../topology/document.ts'
import type { TopologyDocument } from '../../topology/schema.ts'
import { addOptions, gather } from '../define.ts'
import { differenceOf } from './difference.ts'
import { queryOf, segment } from '../../client/engine.ts'
import { findEngine } from './find.ts'
import type { Answer, Engine } from '../../client/engine.ts'
import { readTopologies } from './files.ts'
import type { Found } from './files.ts'
import type { Topology } from '../../client/shapes.ts'

interface Flags extends Record<string, unknown> {
  readonly file: readonly string[]
  readonly publish?: boolean
  readonly inFlight?: InFlight
  readonly dryRun?: boolean
}

const inFlightModes = ['refuse', 'drain', 'trash'] as const
type InFlight = (typeof inFlightModes)[number]

const workersMax = 10_000

export function define(command: Command): void {
  command
    .requiredOption('-f, --file <file>', 'file or folder of topology documents, YAML or JSON; - for stdin', gather)
    .option('--publish', 'publish what was applied')
    .addOption(
      new Option(
        '--in-flight <how>',
        'with --publish: what to do with nodes that go away while messages may come to them',
      )
        .choices(inFlightModes)
        .default('refuse'),
    )
    .option('--dry-run', 'only print what would change')
    .action(apply)
  addOptions(command, 'client')
}

async function apply(flags: Flags): Promise<void> {
  const found = readTopologies(flags.file)
  const engine = findEngine(flags)
  if (flags.dryRun === true) return preview(engine, found, flags.publish === true)
  for (const { source, document } of found) {
    try {
      console.log(await applyTopology(engine, document, flags.publish === true, flags.inFlight))
    } catch (error) {
      if (!(error instanceof Invalid)) throw error
      throw new Invalid(`${source}: ${error.message}`, error.errors, { cause: error })
    }
  }
}

/** Creates the topology or replaces its draft, and publishes it if asked; says in one line what it did. Idempotent. */
export async function applyTopology(
  engine: Engine,
  document: TopologyDocument,
  publish: boolean,
  inFlight: InFlight = 'refuse',
): Promise<string> {
  const stored = await find(engine, document.name)
  const done = await save(engine, document, stored)
  if (!publish) return `${document.name}: ${done}`
  const { body } = await publishDraft(engine, document.name, inFlight)
  return `${document.name}: ${done}, published as revision ${body.revision}`
}

/** Says of what the engine refuses that the draft is saved all the same. */
async function publishDraft(engine: Engine, name: string, inFlight: InFlight): Promise<Answer<Topology>> {
  try {
    return await engine.send<Topology>('POST', `${pathOf(name)}/publish${queryOf({ inFlight })}`)
  } catch (error) {
    const text = `${name} is saved as a draft, not published: ${textOf(error)}`
    if (error instanceof Invalid) throw new Invalid(text, error.errors, { cause: error })
    if (error instanceof Conflict) throw new Conflict(text, { cause: error })
    throw new Unavailable('engine', text, { cause: error })
  }
}

async function save(engine: Engine, document: TopologyDocument, stored: Answer<Topology> | null): Promise<string> {
  if (stored === null) {
    await engine.send('POST', '/api/topologies', { body: document })
    return 'created'
  }
  if (yamlOf(storedDocument(stored.body)) === yamlOf(document)) return 'unchanged'
  await engine.send('PUT', pathOf(document.name), { body: document, ifMatch: stored.etag })
  return 'changed'
}

/**
 * Prints what applying would change. Throws one `Invalid` with every fault for which the engine would refuse a document:
 * as a draft, and with `publish` also as what is to run.
 */
async function preview(engine: Engine, found: readonly Found[], publish: boolean): Promise<void> {
  const known = publish ? await knownBy(engine) : null
  const faults = found.flatMap(({ source, document }) =>
    faultsOf(document, known).map(({ path, message }) => ({ path, message: `${source}: ${message}` })),
  )
  if (faults.length > 0) throw new Invalid(`the engine would refuse this: nothing was changed`, faults)
  for (const { document } of found) console.log(await previewTopology(engine, document))
}

function faultsOf(document: TopologyDocument, known: Known | null): Fault[] {
  return known === null ? checkNames(document) : checkDocument(document, known)
}

interface Worker {
  readonly name: string
  readonly manifest: { readonly nodes?: readonly { readonly name: string; readonly type: string }[] } | null
}

async function knownBy(engine: Engine): Promise<Known> {
  const workers = await engine.list<Worker>('/api/workers', workersMax)
  return {
    workers: new Map(workers.map(({ name, manifest }) => [name, manifest?.nodes ? { nodes: manifest.nodes } : null])),
  }
}

/** What applying would change, line by line; changes nothing. */
async function previewTopology(engine: Engine, document: TopologyDocument): Promise<string> {
  const stored = await find(engine, document.name)
  const [old, next] = [stored === null ? '' : yamlOf(storedDocument(stored.body)), yamlOf(document)]
  if (stored === null) return `${document.name}: would be created`
  if (old === next) return `${document.name}: unchanged`
  return `${document.name}: would be changed\n${differenceOf(old, next)}`
}

async function find(engine: Engine, name: string): Promise<Answer<Topology> | null> {
  try {
    return await engine.send<Topology>('GET', pathOf(name))
  } catch (error) {
    if (error instanceof NotFound) return null
    throw error
  }
}

/** As our own reader sees it, so that both sides of a comparison are spelt alike. */
function storedDocument({ document }: Topology): unknown {
  return readDocument(document).document ?? document
}

function yamlOf(document: unknown): string {
  return stringify(document, { sortMapEntries: true, aliasDuplicateObjects: false })
}

const pathOf = (name: string): string => `/api/topologies/${segment(name)}`
