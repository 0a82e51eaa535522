import { z } from '@hono/zod-openapi'

const exact = {
  contentType: z.string(),
  headers: z.record(z.string(), z.string()),
  bodyBase64: z
    .string()
    .openapi({ description: 'Every byte as it is: JSON that was parsed has lost what its numbers and spaces were' }),
}

export const exactMessage = z
  .object({ version: z.int().openapi({ description: '0: the original' }), ...exact })
  .openapi('ExactMessage')

export const startMessage = z.object({ tenant: z.string().nullable(), ...exact }).openapi('StartMessage')
