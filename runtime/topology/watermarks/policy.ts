/** The `watermark` of a batch node, as people write it. Pure. */
import { z } from 'zod'
import type { Fault } from '../../errors.ts'
import type { LookBack, WatermarkPolicy } from '../plan.ts'
import { kindAsked, kindNames, kindOf, watermarkMaxBytes } from './watermark.ts'

const dayMs = 86_400_000

/** A watermark as a person may set it: it travels in a header as it is. */
export const watermarkPattern = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/
export const watermarkForms = 'expected printable ASCII, without blanks around it'

export const watermarkPolicySchema = z.strictObject({
  commit: z
    .enum(['drained', 'clean'])
    .optional()
    .describe(
      'When what a run proposed is handed to the next: drained (default), as soon as every message is done or in Trash; clean, when nothing of it is in Trash',
    ),
  lookBackMs: z
    .int()
    .min(1)
    .max(366 * dayMs)
    .optional()
    .describe('How far before the committed watermark a run begins, in ms; watermarks have to be RFC 3339 times then'),
  lookBackBy: z
    .int()
    .min(1)
    .optional()
    .describe('The same for whole numbers, in their own unit; watermarks have to be whole numbers then'),
  initial: z
    .string()
    .max(watermarkMaxBytes)
    .regex(watermarkPattern, watermarkForms)
    .optional()
    .describe('What the first run is handed; without it, it reads everything'),
})

export type WatermarkInput = z.output<typeof watermarkPolicySchema>

/** What is wrong between the fields of a policy. */
export function policyFaults(policy: WatermarkInput, path: string): Fault[] {
  const { lookBackMs = null, lookBackBy = null, initial } = policy
  if (lookBackMs !== null && lookBackBy !== null) {
    const message = 'lookBackMs is for times and lookBackBy for whole numbers: say the one that fits your watermarks'
    return [{ path: `${path}.lookBackBy`, message }]
  }
  const message = initial === undefined ? null : kindFault(initial, { lookBackMs, lookBackBy })
  return message === null ? [] : [{ path: `${path}.initial`, message }]
}

/** Why a node that looks back so can't begin at this watermark; null when it can. */
export function kindFault(watermark: string, lookBack: LookBack): string | null {
  const asked = kindAsked(lookBack)
  if (asked === null || kindOf(watermark) === asked) return null
  return `expected ${kindNames[asked]}, since ${lookBack.lookBackMs === null ? 'lookBackBy' : 'lookBackMs'} is given`
}

/** With everything filled in. */
export function policyOf(policy: WatermarkInput): WatermarkPolicy {
  const { commit = 'drained', lookBackMs = null, lookBackBy = null, initial = null } = policy
  return { commit, lookBackMs, lookBackBy, initial }
}
