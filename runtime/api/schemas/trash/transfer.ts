import { z } from '@hono/zod-openapi'
import { text } from '../common.ts'

const says = (description: string) => ({ description })

export const ndjson = 'application/x-ndjson'

export const trashLines = z.string().openapi('TrashLines', {
  description: 'NDJSON: a message a line, with its edits and exact bodies (`bodyText`, or `bodyBase64`)',
})

export const importQuery = z.object({
  topology: z
    .string()
    .min(1)
    .max(200)
    .openapi(says('Id or name of the topology that they become Trash of; nodes are found by name')),
})

const lineFault = z.object({ line: z.int(), path: z.string(), message: z.string() }).openapi('TrashLineFault')

export const importResult = z
  .object({
    runId: z.string().nullable().openapi(says('The run that all of them belong to; null: nothing was imported')),
    imported: z.int(),
    known: z.int().openapi(says('Whose id was in Trash already: they are as they were')),
    settled: z.int().openapi(says('That were replayed or discarded where they come from: they are left out')),
    faults: z.int().openapi(says('Lines that can not be read: they are left out')),
    errors: z.array(lineFault).openapi(says('Of the first 50 of them')),
  })
  .openapi('TrashImport')

export const eraseRequest = z
  .strictObject({
    tenant: text(256).min(1),
    topology: text(200).min(1).optional().openapi(says('Id or name; by default of all, deleted ones too')),
  })
  .openapi('TrashEraseRequest')

export const erased = z
  .object({
    erased: z.int().openapi(says('Messages of Trash, with all their versions')),
    discarded: z.int().openapi(says('How many of them were open')),
    starts: z.int().openapi(says('Start messages of runs that have ended')),
    runsLeft: z.int().openapi(says('Runs of the tenant that go on: what they hold is in queues')),
    isDone: z.boolean().openapi(says('False: there is more, ask again')),
  })
  .openapi('TrashErased')
