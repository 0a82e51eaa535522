import { z } from '@hono/zod-openapi'
import { flowJsonSchema } from '../../topology/editors/editors.ts'
import { flag, topology } from './topologies.ts'

const { $schema: _, ...payloadSchema } = flowJsonSchema()

/** Read by `readJson`, which says more of what is wrong than a schema can. */
export const flowPayload = z
  .record(z.string(), z.unknown())
  .openapi('FlowPayload', { ...payloadSchema, description: 'What the older flow editor saves: `{nodes, connections}`' })

export const bpmnText = z.string().openapi({ description: 'BPMN 2.0 XML with `pipes:` attributes' })

export const drawingQuery = z.object({
  dryRun: flag.openapi({ description: 'true: answer what would be saved, and save nothing' }),
})

const warning = z.object({ path: z.string(), message: z.string() }).openapi('EditorWarning')

export const drawnTopology = topology
  .extend({
    warnings: z
      .array(warning)
      .openapi({ description: 'What has no counterpart here, or is read otherwise; with its place' }),
  })
  .openapi('DrawnTopology')

export const xml = <T extends z.ZodType>(schema: T) => ({ 'application/xml': { schema } })
