import { z } from '@hono/zod-openapi'
import { pageOf } from '../input/paging.ts'
import { periods, scopes } from '../../topology/limits/limits.ts'
import { breakerStates, name, text, time } from './common.ts'

const url = z
  .string()
  .max(2000)
  .refine(isWorkerUrl, 'expected an http or https URL without user, query or fragment, such as http://shop:3000')
  .openapi({
    format: 'uri',
    pattern: '^[Hh][Tt][Tt][Pp][Ss]?://[^/?#@\\s]+(/[^?#\\s]*)?$',
    example: 'http://shop:3000',
  })

const workerValues = {
  urls: z.array(url).min(1).max(64).openapi({ description: 'One for each instance' }),
  dialect: z.enum(['native', 'orchesty']).default('native'),
  secret: text(500)
    .min(1)
    .nullable()
    .optional()
    .openapi({ description: 'Signs calls; left out: as it is; null: none' }),
  timeoutMs: z.int().min(100).max(86_400_000).nullable().optional(),
}

export const workerInput = z.strictObject({ name, ...workerValues }).openapi('WorkerInput')
export const workerValuesInput = z.strictObject({ name: name.optional(), ...workerValues }).openapi('WorkerValues')

export const worker = z
  .object({
    name: z.string(),
    urls: z.array(z.string()),
    dialect: z.enum(['native', 'orchesty']),
    hasSecret: z.boolean(),
    timeoutMs: z.int().nullable(),
    instances: z.array(
      z.object({
        url: z.string(),
        state: z.enum([...breakerStates, 'unusable', 'unknown']).openapi({
          description:
            'As the live bridge sees it that sees it best; see seenBy. closed: called; open: not called; probing: asked whether it works; ramping: called more and more; unusable: no bridge can use the worker; unknown: no bridge has called it',
        }),
        since: time.nullable().openapi({ description: 'When it opened, or for a closed one when it closed' }),
        reason: z.string().nullable().openapi({ description: 'Why it is not closed' }),
        inFlight: z.int().openapi({ description: 'Calls open now' }),
        seenBy: z
          .array(
            z.object({
              bridge: z.string(),
              host: z.string(),
              state: z.enum(['open', 'probing', 'ramping', 'unusable']),
              since: time,
              reason: z.string().nullable(),
            }),
          )
          .openapi({ description: 'Bridges to which it is not closed, and how they see it' }),
      }),
    ),
    manifest: z.record(z.string(), z.unknown()).nullable().openapi({ description: 'What the worker says of itself' }),
    manifestReadAt: time.nullable(),
    manifestFaults: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .openapi({ description: 'Defaults of the manifest that are ignored because they cannot be used' }),
    createdAt: time,
    updatedAt: time,
  })
  .openapi('Worker')

export const workerPage = pageOf('Worker', worker)

const limit = z
  .strictObject({
    rate: z.int().min(1).max(1_000_000).openapi({ description: 'Requests per period' }),
    per: z.enum(periods),
    burst: z.int().min(1).max(1_000_000).optional(),
    scope: z.enum(scopes).optional(),
  })
  .openapi('ServiceLimit')

const limits = z.array(limit).max(10).openapi({ description: 'All of them hold; empty: none' })
const inFlight = {
  maxInFlight: z.int().min(1).max(10_000).nullable().optional(),
  inFlightScope: z.enum(scopes).optional(),
}

export const serviceInput = z.strictObject({ name, limits: limits.default([]), ...inFlight }).openapi('ServiceInput')
/** Limits that there are go away only where that is said. */
export const serviceValuesInput = z
  .strictObject({ name: name.optional(), limits, ...inFlight })
  .openapi('ServiceValues')

/** What is declared of a service. */
export const serviceFields = {
  name: z.string(),
  limits: z.array(limit),
  maxInFlight: z.int().nullable(),
  inFlightScope: z.enum(scopes),
}

export const service = z
  .object({
    ...serviceFields,
    createdAt: time,
    updatedAt: time,
  })
  .openapi('Service')

export const resumeQuery = z.strictObject({
  tenant: text(200)
    .min(1)
    .optional()
    .openapi({ description: 'Only what this tenant, or what a worker named, waits for' }),
})
export const resumed = z
  .object({ ended: z.int().openapi({ description: 'Keys that waited and go on' }) })
  .openapi('ServiceResumed')

export const servicePage = pageOf('Service', service)

function isWorkerUrl(value: string): boolean {
  if (!URL.canParse(value)) return false
  const { protocol, username, password, search, hash } = new URL(value)
  return /^https?:$/.test(protocol) && [username, password, search, hash].every((part) => part === '')
}
