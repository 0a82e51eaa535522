import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { textOf } from '../../../errors.ts'
import type { Fault } from '../../../errors.ts'
import { atMost } from '../../at-most.ts'

/**
 * Faults of the texts, by JSON Pointer, in their order; `cut` null: of all of them, else why there was no end of the first text that has
 * none. Or why the schema can't be used, which says nothing of the texts.
 */
export type Checked =
  | { readonly kind: 'checked'; readonly faults: readonly (readonly Fault[])[]; readonly cut: string | null }
  | { readonly kind: 'unusable'; readonly why: string }

/** What the thread says: that it begins, that it has read the schema or can't, and then the faults of a text after the other. */
type Said = 'begins' | { readonly unusable: string | null } | { readonly faults: readonly Fault[] }

/** Of a whole check, from where the thread begins with it. */
const timeoutMs = 2_000
/** A thread takes a tenth of a second to begin; on a machine that is overloaded much longer, which is no fault of the schema. */
const beginMs = 20_000
const limits = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 }
const inTurn = atMost(2)
const script = fileURLToPath(new URL('validate.mjs', import.meta.url))

/**
 * Checks JSON texts by a JSON Schema (2020-12, without `format`). The schema is whoever's worker gave it: it is looked at in a thread that
 * is ended when it takes too long or too much memory: then what was checked before is known. Safe in parallel; two threads at once.
 */
export function checkTexts(schema: object, texts: readonly string[]): Promise<Checked> {
  return inTurn(() => checkInThread(schema, texts))
}

function checkInThread(schema: object, texts: readonly string[]): Promise<Checked> {
  // Nothing of this process is for it: neither how it was started nor its environment.
  const thread = new Worker(script, { workerData: { schema, texts }, resourceLimits: limits, execArgv: [], env: {} })
  const answered = new Promise<Checked>((resolve) => {
    const faults: (readonly Fault[])[] = []
    let isRead = false
    const end = (why: string): void =>
      resolve(isRead ? { kind: 'checked', faults: [...faults], cut: why } : { kind: 'unusable', why })
    // Where this process was busy meanwhile, what the thread said is read first.
    const endAfter = (ms: number) => setTimeout(() => setImmediate(() => end(`that takes longer than ${ms} ms`)), ms)
    let timer = endAfter(beginMs)
    thread.on('message', (said: Said) => {
      if (said === 'begins') {
        clearTimeout(timer)
        timer = endAfter(timeoutMs)
      } else if ('faults' in said) faults.push(said.faults)
      else if (said.unusable !== null) end(said.unusable)
      else isRead = true
      if (faults.length === texts.length) resolve({ kind: 'checked', faults, cut: null })
    })
    thread.once('error', (error) => end(`that failed: ${textOf(error)}`))
    thread.once('exit', () => {
      clearTimeout(timer)
      end('that ended without an answer')
    })
  })
  return answered.finally(() => thread.terminate())
}
