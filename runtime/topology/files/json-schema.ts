/** The JSON Schema of a topology document, for editors. Draft 7: what all of them understand. */
import { z } from 'zod'
import { eventNodeTypes } from '../plan.ts'
import { documentSchema } from '../schema.ts'

type Json = Readonly<Record<string, unknown>>

interface Drawn extends Json {
  readonly properties: Json & { readonly nodes: Json & { readonly items: Json } }
}

/**
 * Takes what `readDocument` takes, but for what no schema can say: the size of `settings`, a range of statuses that is the wrong way
 * round, and limits against hostile texts (depth, number of values, keys such as `constructor`). Equal code gives an equal schema, byte by byte.
 */
export function editorSchema(): Json {
  const { $schema, ...schema } = z.toJSONSchema(documentSchema, { io: 'input', target: 'draft-7' }) as unknown as Drawn
  const { properties } = schema
  const node = { ...properties.nodes.items, ...noPrefetchAtEvents }
  return {
    $schema,
    title: 'Sluiceway topology',
    description: 'A named graph of nodes and edges; see docs/topology.md',
    ...schema,
    properties: {
      $schema: { type: 'string', description: 'Where this schema is, for editors; not kept' },
      ...properties,
      nodes: { ...properties.nodes, items: node },
    },
  }
}

const noPrefetchAtEvents = {
  if: { properties: { type: { enum: eventNodeTypes } }, required: ['type'] },
  then: { properties: { prefetch: false } },
}
