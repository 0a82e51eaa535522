import { patched } from '../../../../protocol/patch/patch.ts'
import { Unpatchable } from '../../../../protocol/patch/pointer.ts'
import { lockBulk } from '../../../../store/bulk/bulks.ts'
import type { Bulk } from '../../../../store/bulk/bulks.ts'
import { insertVersions, lockWhole, nextMembers, writeOutcomes } from '../../../../store/bulk/messages.ts'
import type { Member, Settled, Whole } from '../../../../store/bulk/messages.ts'
import type { TrashVersion } from '../../../../store/queries/trash.ts'
import type { ApiDeps } from '../../../deps.ts'
import type { Payload } from '../../trash/fits.ts'
import { unfitOf } from './fit.ts'
import { openTargets } from './target.ts'
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
    const able = members.flatMap((member) => take(bulk, member, locked.get(member.trashId), gone))
    const taken = isChecked(bulk) ? await withoutUnfit(deps, openTargets(deps), able) : able
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

/** `sends`: what would go out, and of which row. */
type Taken = Settled & { readonly version?: Version; readonly sends?: Payload & { readonly row: Whole['row'] } }

const isChecked = ({ action, acceptWarnings }: Bulk): boolean => action === 'replay' && !acceptWarnings

async function withoutUnfit({ store }: Deps, targets: Targets, taken: readonly Taken[]): Promise<Taken[]> {
  const candidates = taken.flatMap(({ position, sends }) =>
    sends === undefined ? [] : [{ position, row: sends.row, payload: sends }],
  )
  const { refused, later } = await unfitOf(store, targets, candidates)
  return taken.flatMap((one) => (later.has(one.position) ? [] : [refused.get(one.position) ?? one]))
}

/** Nothing for one that somebody else holds: it stays in the line. */
function take(bulk: Bulk, { position, trashId }: Member, whole: Whole | undefined, gone: ReadonlySet<string>): Taken[] {
  const refused = (why: string): Taken[] => [{ position, outcome: 'refused', why }]
  if (whole === undefined) return gone.has(trashId) ? refused('it is not in Trash any more') : []
  if (whole.row.state !== 'open') return refused(`it is ${whole.row.state} already`)
  const sending = { position, outcome: 'sending' } as const
  const { row, edit } = whole
  if (bulk.patch === null) return [{ ...sending, sends: { ...(edit ?? row), row } }]
  try {
    const version = patchedVersion(bulk, whole)
    return [{ ...sending, version, sends: { ...version, row } }]
  } catch (error) {
    if (!(error instanceof Unpatchable)) throw error
    return refused(`the patch can't be applied: ${error.message}`)
  }
}

function patchedVersion({ id, patch, by }: Bulk, { row, edit }: Whole): Omit<TrashVersion, 'createdAt'> {
  const { headers, contentType, body } = edit ?? row
  const made = patch === null ? body : patched(body, patch).body
  const version = (edit?.version ?? 0) + 1
  return { trashId: row.id, version, headers, contentType, body: made, reason: `bulk ${id}`, by }
}
