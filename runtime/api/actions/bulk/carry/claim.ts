import { patched } from '../../../../protocol/patch/patch.ts'
import { Unpatchable } from '../../../../protocol/patch/pointer.ts'
import { lockBulk } from '../../../../store/bulk/bulks.ts'
import type { Bulk } from '../../../../store/bulk/bulks.ts'
import { insertVersions, lockWhole, nextMembers, writeOutcomes } from '../../../../store/bulk/messages.ts'
import type { Member, Settled, Whole } from '../../../../store/bulk/messages.ts'
import type { TrashVersion } from '../../../../store/queries/trash.ts'
import { isEventNode } from '../../../../topology/plan.ts'
import type { ApiDeps } from '../../../deps.ts'
import { replayed } from '../../settle-trash.ts'
import { unfitOf } from './fit.ts'
import type { Candidate } from './fit.ts'
import { openTargets, placeOf, refusalOf } from './target.ts'
import type { Targets } from './target.ts'

/** Of one transaction: its messages are in memory, whole. */
export const portion = { count: 500, bytes: 16 * 1024 * 1024 }

/** What was claimed, and how many messages left the line in all: some may be refused. */
export interface Claimed {
  readonly claimed: number
  readonly moved: number
}

/**
 * Takes the next messages of a bulk out of the line: they are about to be sent, and carry its patch from now on. What can't be sent, or
 * doesn't fit its node, is refused, and stays open as it was. Committed before anything is sent, so that whoever goes on after a crash knows what may have been.
 */
export function claimNext(deps: Deps, id: string, holder: string, count: number): Promise<Claimed> {
  const { store } = deps
  return store.transaction(async (inside) => {
    const bulk = await lockBulk(inside, id)
    if (bulk.state !== 'running' || bulk.leaseBy !== holder) return { claimed: 0, moved: 0 }
    const members = await nextMembers(inside, id, 'waiting', { ...portion, count: Math.min(count, portion.count) })
    const { locked, gone } = await lockWhole(
      inside,
      members.map(({ trashId }) => trashId),
    )
    const targets = openTargets(deps)
    const able: Taken[] = []
    for (const member of members)
      able.push(...(await take({ bulk, targets, gone }, member, locked.get(member.trashId))))
    const taken = isChecked(bulk) ? await withoutUnfit(deps, able) : able
    await insertVersions(
      inside,
      taken.flatMap(({ version }) => version ?? []),
    )
    const moved = await writeOutcomes(inside, id, taken)
    return { claimed: taken.filter(({ outcome }) => outcome === 'sending').length, moved }
  })
}

type Deps = Pick<ApiDeps, 'store' | 'queues'>

type Version = Omit<TrashVersion, 'createdAt'>

/** `sends`: what would go out, and where. */
type Taken = Settled & { readonly version?: Version; readonly sends?: Omit<Candidate, 'position'> }

const isChecked = ({ action, acceptWarnings }: Bulk): boolean => action === 'replay' && !acceptWarnings

async function withoutUnfit({ store }: Deps, taken: readonly Taken[]): Promise<Taken[]> {
  const candidates = taken.flatMap(({ position, sends }) => (sends === undefined ? [] : [{ position, ...sends }]))
  const { refused, later } = await unfitOf(store, candidates)
  return taken.flatMap((one) => (later.has(one.position) ? [] : [refused.get(one.position) ?? one]))
}

interface Around {
  readonly bulk: Bulk
  readonly targets: Targets
  readonly gone: ReadonlySet<string>
}

/** What is said of a message that was erased, or kept for long enough, since the bulk was made. */
export const notInTrash = 'it is not in Trash any more'

/** Nothing for one that somebody else holds: it stays in the line. */
async function take(
  { bulk, targets, gone }: Around,
  { position, trashId }: Member,
  whole: Whole | undefined,
): Promise<Taken[]> {
  const refused = (why: string): Taken[] => [{ position, outcome: 'refused', why }]
  if (whole === undefined) return gone.has(trashId) ? refused(notInTrash) : []
  const { row, edit } = whole
  if (row.state !== 'open') return refused(`it is ${row.state} already`)
  const sending = { position, outcome: 'sending' } as const
  if (bulk.action === 'discard') return [{ ...sending, place: placeOf(row, false) }]
  try {
    const node = await targets.node(row)
    const version = bulk.patch === null ? null : patchedVersion(bulk, whole)
    const payload = replayed(version ?? edit ?? row, isEventNode(node))
    const place = placeOf(row, version !== null || edit !== null)
    return [{ ...sending, place, sends: { node, payload }, ...(version !== null && { version }) }]
  } catch (error) {
    const why = error instanceof Unpatchable ? `the patch can't be applied: ${error.message}` : refusalOf(error)
    if (why === null) throw error
    return refused(why)
  }
}

function patchedVersion({ id, patch, by }: Bulk, { row, edit }: Whole): Version {
  const { headers, contentType, body } = edit ?? row
  const made = patch === null ? body : patched(body, patch).body
  const version = (edit?.version ?? 0) + 1
  return { trashId: row.id, version, headers, contentType, body: made, reason: `bulk ${id}`, by }
}
