import { z } from '@hono/zod-openapi'
import { auditKinds } from '../../store/schema/index.ts'
import { scopes } from '../deps.ts'
import { pageOf } from '../input/paging.ts'
import { isInYears, text, time, withoutControls } from './common.ts'

export const tokenInput = z
  .strictObject({
    name: text(100).min(1).regex(withoutControls, 'a name holds no control characters'),
    scopes: z.array(z.enum(scopes)).min(1).max(scopes.length),
    topology: z.string().max(200).optional().openapi({ description: 'Id or name: good for this topology only' }),
    expiresAt: z.iso
      .datetime({ offset: true, error: 'expected a time such as 2027-01-01T00:00:00Z' })
      .refine((text) => isInYears(new Date(text)), 'expected a time in the years 0001 to 9999')
      .optional()
      .openapi({ description: 'Good for ever without it' }),
  })
  .openapi('TokenInput')

export type TokenInput = z.output<typeof tokenInput>

export const token = z
  .object({
    id: z.string(),
    name: z.string(),
    scopes: z.array(z.string()),
    topologyId: z.string().nullable(),
    expiresAt: time.nullable(),
    lastUsedAt: time.nullable(),
    createdAt: time,
  })
  .openapi('Token')

export type Token = z.infer<typeof token>

export const tokenPage = pageOf('Token', token)

export const newToken = token
  .extend({ token: z.string().openapi({ description: 'Shown this once only' }) })
  .openapi('NewToken')

export const login = z
  .strictObject({ token: z.string().min(1).max(500).openapi({ description: 'Any token' }) })
  .openapi('Login')

export const session = z
  .object({
    name: z.string().openapi({ description: 'Of the token' }),
    scopes: z.array(z.enum(scopes)),
    topology: z.string().nullable().openapi({ description: 'Name of the only topology that the token is good for' }),
    topologyId: z.string().nullable(),
    tokenId: z.string().nullable().openapi({ description: 'null: the admin token of the options' }),
    sessionId: z.string().nullable().openapi({ description: 'null: the token itself was sent' }),
    expiresAt: time
      .nullable()
      .openapi({ description: 'When the session ends if it is not used, or the token does; null: never' }),
  })
  .openapi('Session')

export type Session = z.infer<typeof session>

const side = z.record(z.string(), z.unknown()).nullable()

const auditEntry = z
  .object({
    id: z.string(),
    at: time,
    who: z.string().openapi({ description: 'Name of the token' }),
    tokenId: z.string().nullable().openapi({ description: 'null: the admin token of the options' }),
    sessionId: z.string().nullable().openapi({ description: 'null: the token itself was sent' }),
    address: z.string().nullable().openapi({ description: 'Where the request came from' }),
    action: z.string().openapi({ description: 'Id of the operation', example: 'publishTopology' }),
    method: z.string(),
    path: z.string(),
    topologyId: z.string().nullable(),
    target: z.object({ kind: z.enum(auditKinds), id: z.string(), name: z.string().nullable() }),
    before: side.openapi({ description: 'What differs, without secrets; null: it was made' }),
    after: side.openapi({ description: 'null: it was deleted' }),
  })
  .openapi('AuditEntry')

export type AuditEntry = z.infer<typeof auditEntry>

export const auditPage = pageOf('Audit', auditEntry)
