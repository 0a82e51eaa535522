/** Names of drawn nodes here. A node keeps its queue, limits and history as long as it keeps its name, so a known one is never renamed. */
import { isEventType } from '../graph.ts'
import type { DocumentNode, TopologyDocument } from '../schema.ts'
import type { DrawnName, DrawnNode } from './drawing.ts'

const nameMax = 63

/** Id of a node in documents for older editors, when none of them ever drew it; `generatedName` reads it back. */
export function generatedId({ name, type }: Pick<DocumentNode, 'name' | 'type'>): string {
  return `${isEventType(type) ? 'Event' : 'Activity'}_${name}`
}

function generatedName(id: string): string | undefined {
  return /^(?:Event|Activity)_([a-z0-9-]{1,63})$/.exec(id)?.[1]
}

/** What an older editor calls the node. */
export function titleOf({ name, type, uses }: DocumentNode, drawn: DrawnName | undefined): string {
  return isEventType(type) ? (drawn?.title ?? name) : (uses ?? name)
}

/**
 * Drawn id → name. A node that the draft has, by the editor's id, keeps its name while its title is the same; any other is named by its
 * title, in small letters and hyphens, with a number when that is taken.
 */
export function nameNodes(
  nodes: readonly DrawnNode[],
  draft: TopologyDocument,
  drawn: readonly DrawnName[],
): Map<string, string> {
  const byName = new Map(draft.nodes.map((node) => [node.name, node]))
  const known = new Map(drawn.map((each) => [each.id, each]))
  const names = new Map<string, string>()
  const taken = new Set<string>()
  for (const { id, title } of nodes) {
    const name = known.get(id)?.name ?? generatedName(id)
    const before = byName.get(name ?? '')
    if (name === undefined || !before || taken.has(name) || titleOf(before, known.get(id)) !== title) continue
    names.set(id, name)
    taken.add(name)
  }
  for (const node of nodes) {
    if (names.has(node.id)) continue
    const name = freeName(slug(node.title) || slug(node.id) || node.type, taken)
    names.set(node.id, name)
    taken.add(name)
  }
  return names
}

function slug(text: string): string {
  const plain = text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
  return plain
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, nameMax)
    .replace(/-+$/, '')
}

function freeName(base: string, taken: ReadonlySet<string>): string {
  for (let n = 2, name = base; ; n += 1) {
    if (!taken.has(name)) return name
    name = `${base.slice(0, nameMax - 5)}-${n}`
  }
}
