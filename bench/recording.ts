/** How many Trash rows a second the recorder writes, beside those that are stored already. */
import type { Outcome } from '../runtime/protocol/outcome.ts'
import { applyOutcomes, position } from '../runtime/store/outcomes.ts'
import type { Store } from '../runtime/store/store.ts'

const rows = 20_000
/** As many outcomes come together when a recorder has fallen behind. */
const perBatch = 500
const epoch = 'bench'

/** Failures of 50 kinds at one node, with bodies of 1 KiB; then their discards. Lines to print. */
export async function timeRecording(store: Store): Promise<string[]> {
  const topologyId = `recording-${Date.now()}`
  const failed = Array.from({ length: rows }, (_, n) => trashed(`${topologyId}-${n}`, n))
  const written = await timed(store, topologyId, failed)
  const settled = await timed(
    store,
    topologyId,
    failed.map(({ trashId, run, nodeId, at }) => ({ kind: 'discarded', trashId, run, nodeId, at, reason: null })),
  )
  return [`Trash rows a second: ${written.toFixed(0)} written, ${settled.toFixed(0)} discarded`]
}

async function timed(store: Store, topologyId: string, outcomes: readonly Outcome[]): Promise<number> {
  const begun = performance.now()
  for (let at = 0; at < outcomes.length; at += perBatch) {
    const from = await position(store, topologyId, epoch)
    const batch = outcomes.slice(at, at + perBatch)
    await applyOutcomes(store, topologyId, { epoch, from, to: from + batch.length }, batch)
  }
  return (outcomes.length * 1_000) / (performance.now() - begun)
}

function trashed(trashId: string, n: number): Extract<Outcome, { kind: 'trashed' }> {
  const at = new Date().toISOString()
  const origin = { from: 'list', created: at, replay: 0, page: 0, cursor: null, tenant: null, key: null, trace: null }
  const message = { id: `m-${trashId}`, ...origin, headers: {}, contentType: 'application/json' }
  const error = {
    type: 'about:blank',
    title: `Kind ${'abcdefghij'[n % 10] ?? ''}${'abcde'[Math.floor(n / 10) % 5] ?? ''}`,
    detail: `the order ${n} of ${crypto.randomUUID()} has no address that a parcel could be sent to`,
    status: 422,
  }
  const call = { attempt: 1, at, instance: null, status: 422, problem: error, durationMs: 5 }
  const body = Buffer.from(JSON.stringify({ id: n, text: 'x'.repeat(1_000) }))
  return {
    ...{ kind: 'trashed', run: `${trashId}-run`, nodeId: 'node', at, trashId, revision: 1, error, attempts: [call] },
    ...{ message, body },
  }
}
