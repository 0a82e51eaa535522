import { createHash } from 'node:crypto'
import { Invalid, Unavailable, Unsure } from '../../../errors.ts'
import { newId } from '../../../ids.ts'
import { headersOf, textOfSource, valueAt } from '../../../protocol/webhooks/delivery.ts'
import type { Delivery } from '../../../protocol/webhooks/delivery.ts'
import { answered } from '../../../store/pool.ts'
import { findRun } from '../../../store/queries/runs.ts'
import type { Webhook } from '../../../topology/webhooks/config.ts'
import type { ApiDeps } from '../../deps.ts'
import { invalidInput } from '../../problem.ts'
import { messageHeaders } from '../../schemas/common.ts'
import { tenant as tenantSchema } from '../../schemas/runs.ts'
import { ownKey, runIdOf } from '../keys.ts'
import { answerMs } from './known.ts'
import type { Hook } from './known.ts'

type Deps = Pick<ApiDeps, 'store' | 'queues' | 'admission'>

/** A delivery that was verified. */
export interface Verified extends Delivery {
  readonly contentType: string
  readonly trace: string | null
}

/**
 * Stores a delivery as the start of a run and answers the run's id: of the same delivery always the same, for 72 hours and longer. The
 * way of a new one needs no Postgres. Throws `Invalid`, `Unavailable`, and what `Admission.admit` does.
 */
export async function acceptDelivery(deps: Deps, hook: Hook, config: Webhook, delivery: Verified): Promise<string> {
  const { contentType, trace, body } = delivery
  const tenant = tenantOf(config, delivery)
  const headers = userHeaders(config, delivery)
  const id = config.deliveryId === null ? null : valueAt(config.deliveryId, delivery)
  const key = id === null ? newId() : ownKey(`delivery:${hashOf(JSON.stringify([tenant, id]))}`)
  const [topologyId, nodeId] = [hook.topology.id, hook.node.id]
  const run = runIdOf(topologyId, nodeId, key)
  try {
    await deps.admission.admit(hook.topology, body.byteLength)
  } catch (refusal) {
    // What was accepted before stays accepted: only new deliveries are refused.
    if (id !== null && (await isKnown(deps, { topologyId, nodeId, key, run }))) return run
    throw refusal
  }
  if (id !== null && (await isAccepted(deps, run))) return run
  try {
    await deps.queues.start({ topologyId, nodeId, key, run, tenant, contentType, headers, trace, body })
  } catch (error) {
    throw error instanceof Unsure ? unsureDelivery(error, run, id !== null) : error
  }
  return run
}

function unsureDelivery(error: Unsure, run: string, isNamed: boolean): Unsure {
  const again = isNamed
    ? 'sent again it is that run in any case'
    : 'sent again it would be another run, since it has no id: the document can say where deliveries have one (accept.deliveryId)'
  return new Unsure('nats', `${error.message}, and the run would be ${run}; ${again}`, { cause: error })
}

function tenantOf({ tenant: source }: Webhook, delivery: Delivery): string | null {
  if (source === null) {
    if (!delivery.query.has('tenant')) return null
    const message = 'this webhook takes no tenant: its document has to say where it stands (accept.tenant)'
    throw new Invalid(message, [{ path: 'tenant', message }])
  }
  const place = textOfSource(source)
  const found = valueAt(source, delivery)
  const checked = tenantSchema.safeParse(found)
  if (checked.success) return checked.data
  const message = found === null ? `there is no tenant at ${place}` : `the tenant at ${place} can't be used`
  throw new Invalid(message, [{ path: place, message }])
}

/** What HTTP servers hand over as Latin-1 is UTF-8 where senders go beyond ASCII. */
function userHeaders(config: Webhook, delivery: Delivery): Record<string, string> {
  const found = Object.entries(headersOf(config, delivery)).map(([name, value]) => [name, textOf(value)])
  const checked = messageHeaders.safeParse(Object.fromEntries(found))
  if (!checked.success) throw invalidInput('the headers', checked.error)
  return checked.data
}

function textOf(latin: string): string {
  const text = Buffer.from(latin, 'latin1').toString('utf8')
  return text.includes('\ufffd') ? latin : text
}

/** An id may be long, and hold anything. */
function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** As long as the queue surely remembers a start: its history is never shorter than ten minutes, and clocks may differ. */
const rememberedMs = 5 * 60_000

/**
 * Notes the delivery, and tells whether it is in the queue or was. One that was noted and isn't known any further was perhaps never
 * published: whoever noted it died, or had no room. It may be published then: as long as the queue remembers the first one, that
 * changes nothing, and after that the run of the first one is in Postgres, since nothing is compacted before.
 */
async function isAccepted({ store, queues }: Deps, run: string): Promise<boolean> {
  const notedAt = await queues.noteDelivery(run)
  if (notedAt === null) return false
  try {
    return (await answered(answerMs, findRun(store, run))) !== null
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error
    if (Date.now() - notedAt.getTime() < rememberedMs) return false
    const text = 'this delivery came before, and whether it was accepted is known only when Postgres is back'
    throw new Unavailable('postgres', text, { cause: error })
  }
}

async function isKnown(
  { store, queues }: Deps,
  { topologyId, nodeId, key, run }: { topologyId: string; nodeId: string; key: string; run: string },
): Promise<boolean> {
  if (await queues.isStarted(topologyId, nodeId, key)) return true
  return (await answered(answerMs, findRun(store, run)).catch(() => null)) !== null
}
