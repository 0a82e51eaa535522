import { dataOf, engine } from '../../../api/engine.ts'
import type { Topology, TopologyDocument } from '../../../api/engine.ts'
import { download } from '../../../parts/download.ts'

export type FileFormat = 'yaml' | 'json' | 'bpmn'

/** Hands the document to the browser as a file. BPMN is drawn by the engine, from the draft that it has. */
export async function exportDocument(
  { id, name }: Pick<Topology, 'id' | 'name'>,
  document: TopologyDocument,
  format: FileFormat = 'yaml',
): Promise<void> {
  const { content, type } = await contentOf(id, document, format)
  download(`${name}.${format}`, content, type)
}

async function contentOf(topology: string, document: TopologyDocument, format: FileFormat) {
  switch (format) {
    case 'json':
      return { content: `${JSON.stringify(document, null, 2)}\n`, type: 'application/json' }
    case 'yaml': {
      const { yamlOf } = await import('../../../../../runtime/topology/yaml.ts')
      return { content: yamlOf(document), type: 'application/yaml' }
    }
    case 'bpmn': {
      const params = { path: { topology } }
      const content = await dataOf(engine.GET('/api/topologies/{topology}/schema.bpmn', { params, parseAs: 'text' }))
      return { content, type: 'application/xml' }
    }
  }
}
