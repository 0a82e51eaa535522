import type { Worker } from '../../api/engine.ts'

/** A node as a worker says it in its manifest; docs/workers.md has the fields. */
export interface ManifestNode {
  readonly name: string
  readonly type: string
  readonly title?: string
  readonly description?: string
  readonly path?: string
  readonly service?: string
  readonly defaults?: unknown
  /** JSON Schema of the settings that it takes. */
  readonly settings?: unknown
}

/** The engine takes a manifest only when its nodes have a name and a type. */
export function nodesOf({ manifest }: Worker): readonly ManifestNode[] {
  const nodes = manifest?.['nodes']
  return Array.isArray(nodes) ? (nodes as readonly ManifestNode[]) : []
}

export function versionOf({ manifest }: Worker): string | null {
  const version = manifest?.['version']
  return typeof version === 'string' ? version : null
}
