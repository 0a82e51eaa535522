import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { textOf } from '../../../errors.ts'
import type { Fault } from '../../../errors.ts'
import { atMost } from '../../at-most.ts'

/** Faults of each text, by JSON Pointer; or why the schema can't be used, which says nothing of the texts. */
export type Checked =
  | { readonly kind: 'checked'; readonly faults: readonly (readonly Fault[])[] }
  | { readonly kind: 'unusable'; readonly why: string }

/** Of a whole check; a thread takes a tenth of a second to begin. */
const timeoutMs = 2_000
const limits = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 }
const inTurn = atMost(2)
const script = fileURLToPath(new URL('validate.mjs', import.meta.url))

/**
 * Checks JSON texts by a JSON Schema (2020-12, without `format`). The schema is whoever's worker gave it: it is looked at in a thread that
 * is ended when it takes too long or too much memory, so that the worst it can be is unusable. Safe in parallel; two threads at once.
 */
export function checkTexts(schema: object, texts: readonly string[]): Promise<Checked> {
  return inTurn(() => checkInThread(schema, texts))
}

function checkInThread(schema: object, texts: readonly string[]): Promise<Checked> {
  // Nothing of this process is for it: neither how it was started nor its environment.
  const thread = new Worker(script, { workerData: { schema, texts }, resourceLimits: limits, execArgv: [], env: {} })
  const answered = new Promise<Checked>((resolve) => {
    const unusable = (why: string): void => resolve({ kind: 'unusable', why })
    const timer = setTimeout(() => unusable(`checking by it takes longer than ${timeoutMs} ms`), timeoutMs)
    thread.once('message', (answer: Checked) => resolve(answer))
    thread.once('error', (error) => unusable(`checking by it failed: ${textOf(error)}`))
    thread.once('exit', () => {
      clearTimeout(timer)
      unusable('checking by it ended without an answer')
    })
  })
  return answered.finally(() => thread.terminate())
}
