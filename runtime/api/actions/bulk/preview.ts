import { Conflict } from '../../../errors.ts'
import { differences } from '../../../protocol/patch/difference.ts'
import type { Difference } from '../../../protocol/patch/difference.ts'
import { patched } from '../../../protocol/patch/patch.ts'
import type { Patch } from '../../../protocol/patch/patch.ts'
import { Unpatchable } from '../../../protocol/patch/pointer.ts'
import { readWhole } from '../../../store/bulk/messages.ts'
import type { Whole } from '../../../store/bulk/messages.ts'
import { sampleSet } from '../../../store/bulk/set.ts'
import { isEventNode } from '../../../topology/plan.ts'
import type { ApiDeps } from '../../deps.ts'
import { shownBody } from '../../payload.ts'
import { replayed } from '../settle-trash.ts'
import { fitOf, uncheckedText } from '../trash/fits.ts'
import { nothingFits, refuseUnknown } from './create.ts'
import type { Wanted } from './create.ts'
import { misfit } from './carry/fit.ts'
import { openTargets } from './carry/target.ts'
import type { Targets } from './carry/target.ts'

/** A message as it would be sent, and why it would be refused. */
export interface Sample {
  readonly id: string
  readonly before: unknown
  readonly after: unknown
  readonly difference: readonly Difference[]
  readonly faults: readonly string[]
}

const samplesMax = 10
const differencesMax = 100
/** Of all samples together; bodies beyond it are left out. */
const shownMaxBytes = 16 * 1024 * 1024

/** What a bulk would do, on some messages spread over its set; changes nothing. Throws as `createBulk` does. */
export async function previewBulk(
  deps: Pick<ApiDeps, 'store' | 'queues'>,
  wanted: Pick<Wanted, 'action' | 'filter' | 'asked' | 'patch' | 'acceptWarnings'>,
): Promise<{ readonly count: number; readonly samples: readonly Sample[] }> {
  await refuseUnknown(deps, wanted)
  const { count, ids } = await sampleSet(deps.store, wanted.filter, samplesMax)
  if (count === 0) throw await nothingFits(deps, wanted)
  const targets = { ...openTargets(deps), store: deps.store }
  const samples: Sample[] = []
  let left = shownMaxBytes
  // One after the other: bodies may be large.
  for (const id of ids) {
    const whole = (await readWhole(deps.store, [id])).get(id)
    if (whole === undefined) continue
    left -= (whole.edit ?? whole.row).body.length
    samples.push(await sampleOf(targets, wanted, whole, left >= 0))
  }
  return { count, samples }
}

type Asked = Pick<Wanted, 'action' | 'patch' | 'acceptWarnings'>
type Around = Targets & Pick<ApiDeps, 'store'>

async function sampleOf(around: Around, asked: Asked, whole: Whole, isShown: boolean): Promise<Sample> {
  const { row, edit } = whole
  const { contentType, body } = edit ?? row
  const made = patch(body, asked.patch)
  const faults = [...made.faults, ...(await faultsOf(around, asked, whole, made.body))]
  const shown = (bytes: Uint8Array): unknown => {
    if (!isShown) return null
    const known = shownBody(contentType, bytes)
    return 'body' in known ? known.body : known.bodyBase64
  }
  return {
    id: row.id,
    before: shown(body),
    after: made.faults.length > 0 ? null : shown(made.body),
    difference: isShown ? made.difference : [],
    faults,
  }
}

interface Made {
  readonly body: Uint8Array
  readonly difference: readonly Difference[]
  readonly faults: readonly string[]
}

function patch(body: Uint8Array, by: Patch | null): Made {
  if (by === null) return { body, difference: [], faults: [] }
  try {
    const made = patched(body, by)
    return { body: made.body, difference: differences(made.before, made.after, differencesMax), faults: [] }
  } catch (error) {
    if (!(error instanceof Unpatchable)) throw error
    return { body, difference: [], faults: [`the patch can't be applied: ${error.message}`] }
  }
}

/** Why it would be refused, besides the patch: whoever asks may see what messages hold. */
async function faultsOf(around: Around, asked: Asked, { row, edit }: Whole, body: Uint8Array): Promise<string[]> {
  if (row.state !== 'open') return [`it is ${row.state} already`]
  if (asked.action === 'discard') return []
  try {
    const node = await around.node(row)
    const sent = replayed({ ...(edit ?? row), body }, isEventNode(node))
    if (asked.acceptWarnings) return []
    const { faults, unchecked } = await fitOf(around.store, node, sent)
    if (unchecked !== null) return [`it ${uncheckedText(node, unchecked)}`]
    return faults.map(({ path, message }) => `${misfit(node)} (${`${path} ${message}`.trim()})`)
  } catch (error) {
    if (!(error instanceof Conflict)) throw error
    return [error.message]
  }
}
