import { z } from '@hono/zod-openapi'
import { topologyParam, wholeQuery } from './common.ts'
import { flag, revisionParam } from './topologies.ts'

const value = z.unknown().optional()

const change = z
  .object({
    path: z.string().openapi({ description: 'As in `retry.attempts`' }),
    before: value.openapi({ description: 'Left out: it was not there' }),
    after: value.openapi({ description: 'Left out: it is not there any more' }),
  })
  .openapi('ValueChange')

const nodeChange = z
  .object({
    name: z.string(),
    change: z.enum(['added', 'removed', 'changed']).openapi('NodeChangeKind'),
    values: z
      .array(change)
      .openapi({ description: 'In the words of documents; of an added or removed node what its document has to say' }),
  })
  .openapi('NodeChange')

const edgeChange = z
  .object({ from: z.string(), to: z.string(), change: z.enum(['added', 'removed']).openapi('EdgeChangeKind') })
  .openapi('EdgeChange')

const sides = {
  values: z.array(change).openapi({ description: 'Of the topology itself' }),
  nodes: z.array(nodeChange),
  edges: z.array(edgeChange),
  reordered: z.array(z.enum(['nodes', 'edges'])).openapi({ description: 'What stands in another order' }),
}

export const difference = z
  .object({
    from: z.int().openapi({ description: 'Revision' }),
    to: z.int().nullable().openapi({ description: 'Revision; null: the draft, as a publish would put it in force' }),
    ...sides,
  })
  .openapi('Difference', { description: 'All lists are empty when both are the same' })

export const checkQuery = z.object({
  drawn: flag.openapi({
    description: 'true: it is what a document of an older editor is read as, which may name any service',
  }),
})

const leaver = z
  .object({
    node: z.string(),
    waiting: z.int().openapi({ description: 'Messages that no bridge holds' }),
    inFlight: z.int().openapi({ description: 'Messages that bridges hold' }),
  })
  .openapi('LeavingNode')

export const checked = z
  .object({
    errors: z
      .array(z.object({ path: z.string(), message: z.string() }).openapi('DocumentFault'))
      .openapi({ description: 'Everything for which saving or publishing it would be a 400' }),
    difference: difference.nullable().openapi({
      description: 'From the newest revision; null: there is none, or with these errors no plan can be made of it',
    }),
    changes: z
      .object(sides)
      .openapi('DraftChanges', { description: 'All lists are empty when both are the same' })
      .nullable()
      .openapi({ description: 'From the draft; null: with these errors it can’t be saved' }),
    leaving: z.array(leaver).openapi({
      description: 'Nodes that it takes away while messages are on their way, for which publishing would be a 409',
    }),
  })
  .openapi('CheckedDocument')

export const differenceParam = revisionParam
export const differenceQuery = z.object({
  to: z
    .union([z.literal('draft'), z.coerce.number().int().min(1).max(2_147_483_647)])
    .optional()
    .openapi({
      type: 'string',
      pattern: '^(draft|[1-9][0-9]{0,9})$',
      description: 'A revision, or `draft`; default: the newest revision',
      example: 'draft',
    }),
})

export const appliedParam = topologyParam
export const appliedQuery = z.object({
  waitMs: wholeQuery(0, 20_000)
    .default(0)
    .openapi({ type: 'integer', description: 'Answer when no live bridge is missing any more, or after so long' }),
})

export const applied = z
  .object({
    revision: z.int().nullable().openapi({ description: 'In force; null while the topology is a draft' }),
    applied: z.array(z.string()).openapi({ description: 'Ids of live bridges that go by it' }),
    missing: z.array(z.string()).openapi({ description: 'Ids of live bridges that do not yet' }),
  })
  .openapi('AppliedRevision')

export const editorSchema = z
  .record(z.string(), z.unknown())
  .openapi('EditorSchema', { description: 'A JSON Schema (draft 7)' })
