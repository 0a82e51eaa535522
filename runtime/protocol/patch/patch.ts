import { inexactNumber } from './exact.ts'
import { applyOperations } from './json-patch.ts'
import type { Operation } from './json-patch.ts'
import { merged } from './merge-patch.ts'
import { Unpatchable } from './pointer.ts'
import type { Json } from './pointer.ts'

export type Patch =
  | { readonly type: 'json-patch'; readonly operations: readonly Operation[] }
  | { readonly type: 'merge-patch'; readonly value: Json }

/** Of a patch; each may copy. */
export const operationsMax = 100
/** As large as a message may be. */
const bodyMaxBytes = 8 * 1024 * 1024
const copiedMax = 2 * bodyMaxBytes

/**
 * The body with a patch applied to it: it has to be JSON, whatever its content type says. Pure; throws `Unpatchable`, whose text says
 * why and nothing of what the body holds.
 */
export function patched(
  body: Uint8Array,
  patch: Patch,
): { readonly body: Uint8Array; readonly before: Json; readonly after: Json } {
  const text = textOf(body)
  const [before, document] = [parsed(text), parsed(text)]
  const inexact = inexactNumber(text)
  if (inexact !== null)
    throw new Unpatchable('the body holds a number that would not stay as it is, since it has too many digits: edit it')
  const after = applied(document, patch)
  const made = written(after)
  if (made.byteLength > bodyMaxBytes) throw new Unpatchable(`it would be larger than ${bodyMaxBytes} bytes`)
  return { body: made, before, after }
}

function applied(document: Json, patch: Patch): Json {
  const budget = { left: copiedMax }
  try {
    return patch.type === 'json-patch'
      ? applyOperations(document, patch.operations, budget)
      : merged(document, patch.value, budget)
  } catch (error) {
    throw tooDeep(error)
  }
}

function written(value: Json): Uint8Array {
  try {
    return Buffer.from(JSON.stringify(value))
  } catch (error) {
    throw tooDeep(error)
  }
}

/** What is nested so deep that the stack doesn't hold it. */
function tooDeep(error: unknown): unknown {
  return error instanceof RangeError ? new Unpatchable('it would be nested too deep', { cause: error }) : error
}

function textOf(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch (error) {
    throw new Unpatchable('the body is not UTF-8, so it is no JSON', { cause: error })
  }
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch (error) {
    throw new Unpatchable('the body is not JSON', { cause: error })
  }
}
