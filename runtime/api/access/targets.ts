import type { Webhook } from '../../store/queries/hooks/webhooks.ts'
import type { Limited } from '../../queue/limits/told.ts'
import type { Bulk } from '../../store/bulk/bulks.ts'
import type { Cursor } from '../../store/delta/cursors.ts'
import type { Node } from '../../store/queries/nodes.ts'
import type { Run } from '../../store/queries/runs.ts'
import type { Service } from '../../store/queries/services.ts'
import type { Session } from '../../store/queries/sessions.ts'
import type { Token } from '../../store/queries/tokens.ts'
import type { Topology } from '../../store/queries/topologies.ts'
import type { TrashHead } from '../../store/queries/trash.ts'
import type { Watermark } from '../../store/delta/watermarks.ts'
import type { Worker } from '../../store/queries/workers.ts'
import type { Change, Fields } from './change.ts'

/** What the audit log says of each thing that can change: `before` null: it was made, `after` null: it was deleted. */

/** `how` is what was asked for beside what the topology then is. */
export function ofTopology(before: Topology | null, after: Topology | null, how: Fields = {}): Change {
  const { id, name } = (after ?? before) as Topology
  const sides = sidesOf(before, after)
  return { kind: 'topology', id, name, topologyId: id, ...sides, after: sides.after && { ...sides.after, ...how } }
}

/** As the bridges see it, null: not paused; and until when the worker asked to wait, where that is ended. */
interface Paused {
  readonly before: string | null
  readonly after: string | null
  readonly lifted: string | null
}

/** `paused` when that changes. */
export function ofNode(before: Node, after: Node, paused: Paused | null): Change {
  const { id, name, topologyId } = after
  const { before: was, after: is } = sidesOf(before, after)
  const pausedReason = (reason: string | null | undefined) => reason !== undefined && { pausedReason: reason }
  const lifted = paused?.lifted ?? null
  return {
    ...{ kind: 'node', id, name, topologyId },
    before: { ...was, ...pausedReason(paused?.before), ...(lifted !== null && { pausedUntil: lifted }) },
    after: { ...is, ...pausedReason(paused?.after), ...(lifted !== null && { pausedUntil: null }) },
  }
}

/** Of a webhook's secrets it says that they changed; null: there were none. */
export function ofWebhook({ id, name, topologyId }: Node, before: Webhook | null, after: Webhook | null): Change {
  const told = (row: Webhook | null): Fields => {
    const { pathSecret = null, previousPathUntil = null, signingSecret = null } = row ?? {}
    const { previousSigningUntil = null, verifyToken = null } = row ?? {}
    return { pathSecret, previousPathUntil, signingSecret, previousSigningUntil, verifyToken }
  }
  return { kind: 'node', id, name, topologyId, before: told(before), after: told(after) }
}

export function ofRun({ id, topologyId, state }: Pick<Run, 'id' | 'topologyId' | 'state'>, after: Fields): Change {
  return { kind: 'run', id, name: null, topologyId, before: { state }, after }
}

export function ofTrash(
  { id, topologyId }: Pick<TrashHead, 'id' | 'topologyId'>,
  before: Fields,
  after: Fields,
): Change {
  return { kind: 'trash', id, name: null, topologyId, before, after }
}

/** `before` null: it was made. */
export function ofBulk(
  { id, topologyId }: Pick<Bulk, 'id' | 'topologyId'>,
  before: Fields | null,
  after: Fields,
): Change {
  return { kind: 'bulk', id, name: null, topologyId, before, after }
}

export function ofCursor({ id, topologyId, nodeName, page, next }: Cursor, after: Fields): Change {
  return { kind: 'cursor', id, name: nodeName, topologyId, before: { page, next }, after }
}

export function ofWatermark({ id, topologyId, nodeName, tenant, watermark }: Watermark, after: Fields): Change {
  return {
    kind: 'watermark',
    id,
    name: nodeName,
    topologyId,
    before: { tenant, watermark },
    after: { tenant, ...after },
  }
}

export function ofWorker(before: Worker | null, after: Worker | null): Change {
  const { name } = (after ?? before) as Worker
  return { kind: 'worker', id: name, name, topologyId: null, ...sidesOf(before, after) }
}

export function ofService(before: Service | null, after: Service | null): Change {
  const { name } = (after ?? before) as Service
  return { kind: 'service', id: name, name, topologyId: null, ...sidesOf(before, after) }
}

/** That waits were ended for which a service had asked (429). */
export function ofLifted(name: string, lifted: readonly Limited[]): Change {
  const until = lifted
    .map((one) => one.until)
    .sort()
    .at(-1)
  const before = { pausedUntil: until ?? null, paused: lifted.length }
  return { kind: 'service', id: name, name, topologyId: null, before, after: { pausedUntil: null, paused: 0 } }
}

export function ofToken(before: Token | null, after: Token | null): Change {
  const { id, name, topologyId } = (after ?? before) as Token
  return { kind: 'token', id, name, topologyId, ...sidesOf(before, after) }
}

/** `name` is that of the token. */
export function ofSession(name: string, before: Session | null, after: Session | null): Change {
  const { id } = (after ?? before) as Session
  return { kind: 'session', id, name, topologyId: null, ...sidesOf(before, after) }
}

/** What says nothing of the thing itself. */
const noise = new Set(['id', 'version', 'ordinal', 'createdAt', 'updatedAt', 'lastUsedAt', 'manifestReadAt'])

function sidesOf(before: object | null, after: object | null): Pick<Change, 'before' | 'after'> {
  const told = (side: object | null): Fields | null =>
    side && Object.fromEntries(Object.entries(side).filter(([key]) => !noise.has(key)))
  return { before: told(before), after: told(after) }
}
