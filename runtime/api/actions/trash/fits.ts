import type { Fault } from '../../../errors.ts'
import { findWorker } from '../../../store/queries/workers.ts'
import type { Store } from '../../../store/store.ts'
import { isEventNode } from '../../../topology/plan.ts'
import type { PlanNode } from '../../../topology/plan.ts'
import { isJson, utf8 } from '../../body.ts'
import { checkTexts } from '../../input/json-schema/check.ts'
import type { Checked } from '../../input/json-schema/check.ts'
import { HttpProblem } from '../../problem.ts'
import { manifestOf } from '../plans.ts'

export interface Payload {
  readonly contentType: string
  readonly body: Uint8Array
}

/** What a node's worker would say of a body, by the input schema in its manifest. */
export interface Fit {
  /** By JSON Pointer into the body. */
  readonly faults: readonly Fault[]
  /** Why it isn't known; null: it is, or the node has no schema. */
  readonly unusable: string | null
}

/** The same of several bodies, in their order. */
export interface Fits {
  readonly faults: readonly (readonly Fault[])[]
  readonly unusable: string | null
}

export async function fitOf(store: Store, node: PlanNode, payload: Payload): Promise<Fit> {
  const { faults, unusable } = await fitsOf(store, node, [payload])
  return { faults: faults[0] ?? [], unusable }
}

/** In one check, since each takes a thread. */
export async function fitsOf(store: Store, node: PlanNode, payloads: readonly Payload[]): Promise<Fits> {
  const schema = await inputSchemaOf(store, node)
  if (schema === null) return { faults: payloads.map(() => []), unusable: null }
  const read = payloads.map(jsonOf)
  const texts = read.filter((text) => typeof text === 'string')
  const checked: Checked = texts.length === 0 ? { kind: 'checked', faults: [] } : await checkTexts(schema, texts)
  const found = checked.kind === 'checked' ? checked.faults.values() : [].values()
  return {
    faults: read.map((text) => (typeof text === 'string' ? (found.next().value ?? []) : [text])),
    unusable:
      checked.kind === 'checked'
        ? null
        : `the input schema of "${node.name}" can't be used (${checked.why}): it wasn't checked`,
  }
}

/** Throws 409 with every fault of a body that doesn't fit its node. A schema that can't be used holds nothing up. */
export async function refuseUnfit(store: Store, node: PlanNode, payload: Payload, mayTell: boolean): Promise<void> {
  const faults = told((await fitOf(store, node, payload)).faults, mayTell)
  const [first] = faults
  if (first === undefined) return
  const detail = `the body doesn't fit the input schema of "${node.name}" (${first.path} ${first.message}): edit it, or send it all the same with acceptWarnings`
  throw new HttpProblem(409, detail, {}, { type: 'urn:sluice:schema-mismatch', errors: faults })
}

/** Paths and names in them are of the body, which not everybody may see. */
export function told(faults: readonly Fault[], mayTell: boolean): readonly Fault[] {
  if (mayTell || faults.length === 0) return faults
  return [{ path: '', message: 'what of it is told to tokens with the scope payload' }]
}

/** Null: its worker says nothing of what the node takes. */
async function inputSchemaOf(store: Store, node: PlanNode): Promise<object | null> {
  if (isEventNode(node)) return null
  const worker = await findWorker(store, node.worker)
  const input = worker && manifestOf(worker)?.nodes.find(({ name }) => name === node.uses)?.input
  return typeof input === 'object' && input !== null && !Array.isArray(input) ? input : null
}

/** The body as workers made with the SDK see it: JSON, or a text as one. */
function jsonOf({ contentType, body }: Payload): string | Fault {
  const fault = (message: string): Fault => ({ path: '', message })
  if (body.byteLength === 0) return fault('is empty')
  const text = utf8(body)
  if (text === null) return fault('is no text')
  if (!isJson(contentType))
    return contentType.startsWith('text/') ? JSON.stringify(text) : fault(`is ${contentType}, not JSON`)
  try {
    JSON.parse(text)
    return text
  } catch {
    return fault('is no JSON')
  }
}
