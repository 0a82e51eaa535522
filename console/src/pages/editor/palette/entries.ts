/** What can be added to a graph: event nodes, and what workers say of themselves. Pure. */
import type { TopologyDocumentNode, Worker } from '../../../api/engine.ts'
import { nodesOf } from '../../workers/manifest.ts'
import type { ManifestNode } from '../../workers/manifest.ts'

export interface Entry {
  readonly id: string
  /** Words of a list and of a search; the node is called after it. */
  readonly title: string
  readonly description: string
  /** Without a name: that is given when it is added. */
  readonly values: Omit<TopologyDocumentNode, 'name'>
}

export interface Shelf {
  readonly title: string
  readonly entries: readonly Entry[]
}

const events: Shelf = {
  title: 'Events',
  entries: [
    { id: 'start', title: 'start', description: 'Runs begin by a request or by hand', values: { type: 'start' } },
    { id: 'cron', title: 'cron', description: 'Runs begin by a schedule', values: { type: 'cron' } },
    { id: 'webhook', title: 'webhook', description: 'A service tells of something', values: { type: 'webhook' } },
  ],
}

const byName: Shelf = {
  title: 'By name',
  entries: [
    {
      id: 'any',
      title: 'node',
      description: 'Of a worker that you name yourself',
      values: { type: 'custom' },
    },
  ],
}

/** `text` in the title, the description or the worker leaves it in. */
export function shelvesOf(workers: readonly Worker[], text: string): readonly Shelf[] {
  const wanted = text.trim().toLowerCase()
  return [events, ...workers.map(shelfOf), byName]
    .map(({ title, entries }) => ({
      title,
      entries: entries.filter((entry) => `${title} ${entry.title} ${entry.description}`.toLowerCase().includes(wanted)),
    }))
    .filter(({ entries }) => entries.length > 0)
}

function shelfOf(worker: Worker): Shelf {
  const nodes = nodesOf(worker)
  if (nodes.length === 0) return { title: worker.name, entries: [ofNoManifest(worker)] }
  return { title: worker.name, entries: nodes.map((node) => entryOf(worker, node)) }
}

function entryOf({ name: worker }: Worker, { name, type, title, description }: ManifestNode): Entry {
  const words = [title === name ? undefined : title, description].filter((text) => text !== undefined && text !== '')
  return {
    id: `${worker}/${name}`,
    title: name,
    description: words.join(': '),
    values: { type: type as TopologyDocumentNode['type'], worker, uses: name },
  }
}

/** It says nothing of what it can do: the node's name is the worker's name for it. */
function ofNoManifest({ name: worker }: Worker): Entry {
  return {
    id: `${worker}/`,
    title: worker,
    description: 'Without a manifest: name its node yourself',
    values: { type: 'custom', worker },
  }
}

/** As it is added under a name; what the engine would take from the name anyhow isn't said twice. */
export function nodeOf({ values }: Entry, name: string): TopologyDocumentNode {
  const { uses, ...others } = values
  return { name, ...others, ...(uses !== undefined && uses !== name && { uses }) }
}

/** Undefined: there is no such entry any more. */
export function entryOfId(workers: readonly Worker[], id: string): Entry | undefined {
  return shelvesOf(workers, '')
    .flatMap(({ entries }) => entries)
    .find((entry) => entry.id === id)
}
