import { z } from '@hono/zod-openapi'
import { schemes } from '../../../topology/webhooks/config.ts'
import { text, time } from '../../schemas/common.ts'

export const hookParam = z.object({
  topology: z
    .string()
    .openapi({ param: { name: 'topology', in: 'path' }, description: 'Id or name', example: 'orders' }),
  node: z.string().openapi({ param: { name: 'node', in: 'path' }, description: 'Id or name', example: 'paid' }),
  secret: z.string().openapi({ param: { name: 'secret', in: 'path' }, description: 'Of the address' }),
})

const monthS = 30 * 86_400
/** Of what was before, unless somebody says otherwise. */
export const usualGraceS = 86_400

const graceSeconds = z
  .int()
  .min(0)
  .max(monthS)
  .optional()
  .openapi({ description: 'How long what was before is taken, too; 0: not any more; left out: a day' })

export const rotateRequest = z.strictObject({ graceSeconds }).openapi('WebhookRotation')

/** Shorter ones are guessed, also by who has only seen a signature. */
const secretMin = 8

const secret = text(500).min(secretMin).nullable().optional()
const verifyToken = text(500).min(1).nullable().optional()

export const secretsRequest = z
  .strictObject({
    secret: secret.openapi({ description: 'Signs deliveries; left out: as it is; null: none' }),
    verifyToken: verifyToken.openapi({ description: 'Proves handshakes; left out: as it is; null: none' }),
    graceSeconds,
  })
  .openapi('WebhookSecrets')

export const webhook = z
  .object({
    nodeId: z.string(),
    node: z.string(),
    topologyId: z.string(),
    topology: z.string(),
    url: z.string().nullable().openapi({
      description: 'Who knows it may send; null: revoked, or encrypted with another key',
      example: 'https://hooks.example.com/hooks/01K2X/paid/slwh_…',
    }),
    previousUntil: time.nullable().openapi({ description: 'Until when the address before this one is taken, too' }),
    scheme: z.enum(schemes).nullable().openapi({ description: 'By which the draft verifies; null: by none' }),
    hasSecret: z.boolean(),
    previousSecretUntil: time
      .nullable()
      .openapi({ description: 'Until when the secret before this one is taken, too' }),
    hasVerifyToken: z.boolean(),
    notes: z.array(z.string()).openapi({ description: 'Why deliveries are refused, and what else is worth knowing' }),
    createdAt: time,
    updatedAt: time,
  })
  .openapi('Webhook')
