import type { Fault } from '../../../errors.ts'
import { findWorker } from '../../../store/queries/workers.ts'
import type { Store } from '../../../store/store.ts'
import { isEventNode } from '../../../topology/plan.ts'
import type { PlanNode } from '../../../topology/plan.ts'
import { isJson, utf8 } from '../../body.ts'
import { checkTexts } from '../../input/json-schema/check.ts'
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
  /** Why that isn't known; null: it is, or the node has no schema. */
  readonly unchecked: string | null
}

const fitting: Fit = { faults: [], unchecked: null }
const unfit = (faults: readonly Fault[]): Fit => ({ faults, unchecked: null })
const unknown = (unchecked: string): Fit => ({ faults: [], unchecked })

export async function fitOf(store: Store, node: PlanNode, payload: Payload): Promise<Fit> {
  return (await fitsOf(store, node, [payload]))[0] ?? fitting
}

/** The same of several bodies, in their order. Null: there was no time for it, it has to be asked for anew; never so of the first. */
export async function fitsOf(store: Store, node: PlanNode, payloads: readonly Payload[]): Promise<(Fit | null)[]> {
  const schema = await inputSchemaOf(store, node)
  if (schema === null) return payloads.map(() => fitting)
  const read = payloads.map(jsonOf)
  const texts = read.filter((text) => typeof text === 'string')
  const found = (texts.length === 0 ? [] : await checkAll(schema, texts)).values()
  return read.map((text) => (typeof text === 'string' ? (found.next().value ?? null) : unfit([text])))
}

/**
 * In one check, since each takes a thread. One that has no end keeps those behind it from being checked, so it is left out, and they
 * are checked once more; when the next one has none either, the schema is at fault, and nothing can be checked by it.
 */
async function checkAll(schema: object, texts: readonly string[], isAgain = false): Promise<(Fit | null)[]> {
  const checked = await checkTexts(schema, texts)
  if (checked.kind === 'unusable') return texts.map(() => unknown(checked.why))
  const { faults, cut } = checked
  if (cut === null || faults.length > 0) return texts.map((_, n) => (faults[n] === undefined ? null : unfit(faults[n])))
  if (isAgain) return texts.map(() => unknown(cut))
  const rest = texts.slice(1)
  return [unknown(cut), ...(rest.length === 0 ? [] : await checkAll(schema, rest, true))]
}

/** What is said of a body, or of a message, that couldn't be checked. */
export const uncheckedText = ({ name }: PlanNode, why: string): string =>
  `couldn't be checked by the input schema of "${name}": ${why}`

/** Throws 409 with every fault of a body that doesn't fit its node, or why that isn't known. */
export async function refuseUnfit(store: Store, node: PlanNode, payload: Payload, mayTell: boolean): Promise<void> {
  const fit = await fitOf(store, node, payload)
  const errors = warningsIn(node, fit, mayTell)
  const [first] = errors
  if (first === undefined) return
  const what =
    fit.unchecked === null
      ? `the body doesn't fit the input schema of "${node.name}" (${first.path} ${first.message}): edit it, or`
      : `the body ${uncheckedText(node, fit.unchecked)};`
  const detail = `${what} send it all the same with acceptWarnings`
  throw new HttpProblem(409, detail, {}, { type: 'urn:sluice:schema-mismatch', errors })
}

/** What a person has to accept. */
export function warningsIn(node: PlanNode, { faults, unchecked }: Fit, mayTell: boolean): readonly Fault[] {
  return unchecked === null
    ? told(faults, mayTell)
    : [{ path: '', message: `the body ${uncheckedText(node, unchecked)}` }]
}

/** Paths and names in them are of the body, which not everybody may see. */
function told(faults: readonly Fault[], mayTell: boolean): readonly Fault[] {
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
